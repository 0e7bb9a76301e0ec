#!/bin/sh
# Sees to it that the synthesizer is there: installs Debian's package where it may, else says what to run.
plugin=/usr/lib/vst/amsynth_vst.so
test -e "$plugin" && exit 0
if ! command -v apt-get >/dev/null; then
    echo "error: no plugin at $plugin, and no apt-get to install it with. Install amsynth 1.13 with its VST2 plugin there." >&2
    exit 1
fi
if test "$(id -u)" = 0; then sudo=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo="sudo -n"
else
    echo "error: the synthesizer is not installed, and this user can't install it. Run: sudo apt-get install amsynth" >&2
    exit 1
fi
echo "Installing amsynth from the system's packages"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq && $sudo apt-get install -y -qq --no-install-recommends amsynth >/dev/null && test -e "$plugin" || {
    echo "error: amsynth could not be installed. Run: sudo apt-get install amsynth" >&2
    exit 1
}
