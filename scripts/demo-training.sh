#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: demo-training.sh VENV FOLDER
#
# Trains networks on upright digits and tests them on turned ones, with the package in VENV, writing to FOLDER. An
# interrupted run resumes; a run of another installation starts over. Without PyTorch it says so and does nothing.
set -eu

venv=$1 folder=$2
if ! reason=$("$venv/bin/python" -c 'import equiconv.experiments' 2>&1); then
  echo "SKIPPED: training on digits ($(printf '%s' "$reason" | tail -n 1))"
  exit 0
fi
[ "$folder/config.json" -nt "$venv/.installed" ] || rm -rf "$folder"
exec "$venv/bin/python" -m equiconv.experiments.rotated_digits --output-dir "$folder"
