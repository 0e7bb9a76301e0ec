#!/bin/sh
# packages.sh [tests]: install the system packages that are missing, or say what to run where that is not possible.
# The synthesizer or its presets are required, unless SYNTH names the built-in one. Without the collections of sounds, the
# benchmark leaves out what depends on them. With "tests", also what only tests need; without it, they are skipped.
case "${SYNTH:-amsynth}" in
amsynth) package=amsynth plugin=/usr/lib/vst/amsynth_vst.so needed="amsynth 1.13 with its VST2 plugin at $plugin is needed" ;;
dexed) package=hexter plugin=/usr/share/hexter needed="the DX7 voices of hexter are needed, or your own (docs/tutorials/synthesizer.md)" ;;
*) package="" plugin=/ ;;
esac
missing=""
test -e "$plugin" || missing="$package"
test -e /usr/share/sounds/sf2/TimGM6mb.sf2 || missing="$missing timgm6mb-soundfont"
command -v fluidsynth >/dev/null || missing="$missing fluidsynth"
test -e /usr/share/sonic-pi/samples || missing="$missing sonic-pi-samples"
test -e /usr/share/klettres || missing="$missing klettres-data"
if test "$1" = tests; then
    command -v chromedriver >/dev/null || missing="$missing chromium chromium-driver"
    # a machine with a Slurm of its own is not touched
    command -v slurmctld >/dev/null || test -e /etc/slurm/slurm.conf || missing="$missing slurmctld slurmd slurm-client munge"
    test -e /usr/lib/vst/Nekobi-vst.so || missing="$missing dpf-plugins-vst"
    test -e /usr/share/hexter || missing="$missing hexter"
fi
test -z "$missing" && exit 0

# give_up REASON: an error where the synthesizer is missing, else a note
give_up() {
    if test -e "$plugin"; then
        echo "note: $1. Whatever needs these packages is left out. Run: sudo apt-get install$missing" >&2
        exit 0
    fi
    echo "error: $1. $needed. Run: sudo apt-get install $missing" >&2
    exit 1
}

command -v apt-get >/dev/null || give_up "there is no apt-get"
if test "$(id -u)" = 0; then sudo=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo="sudo -n"
else give_up "this user cannot install packages"
fi
echo "Installing system packages:$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq || give_up "apt-get update failed"
for package in $missing; do  # one by one: a missing package does not affect the others
    $sudo apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends "$package" >/dev/null || failed="$failed $package"
done
test -z "$failed" || { missing=$failed; give_up "apt-get failed to install$failed"; }
test -e "$plugin" || give_up "$package does not have $plugin"
