#!/bin/sh
# Sees to it that the system's packages are there: installs them where it may, else says what to run.
# The synthesizer is needed, unless SYNTH names the built-in one. Without the sounds, the benchmark runs and leaves out what is
# made from them.
plugin=/usr/lib/vst/amsynth_vst.so
test "${SYNTH:-amsynth}" = amsynth || plugin=/
missing=""
test -e "$plugin" || missing="amsynth"
test -e /usr/share/sounds/sf2/TimGM6mb.sf2 || missing="$missing timgm6mb-soundfont"
command -v fluidsynth >/dev/null || missing="$missing fluidsynth"
test -e /usr/share/sonic-pi/samples || missing="$missing sonic-pi-samples"
test -e /usr/share/klettres || missing="$missing klettres-data"
test -z "$missing" && exit 0

# give_up REASON: an error where the synthesizer is missing, else a note
give_up() {
    if test -e "$plugin"; then
        echo "note: $1. The sounds from outside that need$missing are left out. Run: sudo apt-get install$missing" >&2
        exit 0
    fi
    echo "error: $1. amsynth 1.13 with its VST2 plugin at $plugin is needed. Run: sudo apt-get install $missing" >&2
    exit 1
}

command -v apt-get >/dev/null || give_up "there is no apt-get to install packages with"
if test "$(id -u)" = 0; then sudo=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo="sudo -n"
else give_up "this user can't install packages"
fi
echo "Installing from the system's packages: $missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq || give_up "the system's list of packages can't be had"
for package in $missing; do  # one by one: what can't be had takes nothing else with it
    $sudo apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends "$package" >/dev/null || failed="$failed $package"
done
test -z "$failed" || { missing=$failed; give_up "could not be installed:$failed"; }
test -e "$plugin" || give_up "amsynth has no VST2 plugin"
