# SPDX-License-Identifier: Apache-2.0
#
# Sourced: the test programs and the files each is made of.

# Those that take long run once.
quick="api bases calls choice published equivariance adjoints floating_point forks wrong_calls threads stress"
long="cancel fuzz memory"

sources_of() {
  case $1 in
    forks | fuzz | memory | threads) echo "$1.c process.c test.c" ;;
    wrong_calls) echo "wrong_calls.c wrong_groups.c wrong_bases.c wrong_descriptors.c wrong_arrays.c wrong_queries.c wrong_choice.c test.c" ;;
    *) echo "$1.c test.c" ;;
  esac
}
