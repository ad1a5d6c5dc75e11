#!/bin/sh
# Installs leadscore from the folder that this script is in, after the checksums agree.
#   sh install.sh            the command, into ~/.local/bin (or $PREFIX/bin)
#   sh install.sh wheel      the Python package with the command, by pip
set -eu
cd "$(dirname "$0")"
sha256sum --check --quiet SHA256SUMS
case "${1:-command}" in
command)
    bin="${PREFIX:-$HOME/.local}/bin"
    mkdir -p "$bin"
    cp leadscore "$bin/leadscore.new"
    chmod 755 "$bin/leadscore.new"
    mv "$bin/leadscore.new" "$bin/leadscore"
    "$bin/leadscore" --version
    echo "installed $bin/leadscore"
    ;;
wheel)
    python3 -m pip install --no-index ./leadscore-*.whl
    ;;
*)
    echo "usage: sh install.sh [command|wheel]" >&2
    exit 2
    ;;
esac
