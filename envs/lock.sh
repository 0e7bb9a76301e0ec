#!/bin/sh
# Write lock.txt: every package that requirements.txt brings along, with version and hashes, for Python 3.11 and later on
# any system. Versions already in it are kept where they fit. Needs uv, and GNU or BSD awk.
# torch and the packages of its CUDA build are left out: which build is right depends on the machine.
set -eu
cd "$(dirname "$0")"
touch lock.txt
uv pip compile requirements.txt --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
  --output-file lock.txt
{
  echo "# Made by envs/lock.sh from requirements.txt: everything but torch, whose build depends on the machine."
  awk '/^[a-z0-9]/ { keep = $0 !~ /^(torch|triton|cuda-|nvidia-)/ } keep' lock.txt
} > lock.new
mv lock.new lock.txt
