# SPDX-License-Identifier: Apache-2.0
#
# Sourced: the test programs and the files each is made of.

# Those that take long run once.
quick="api bases calls layer_objects texts networks choice published equivariance adjoints floating_point forks wrong_calls threads stress"
long="cancel fuzz memory faults stacks"
# Those that also run under an emulator, where threads and long loops take many times as long.
# shellcheck disable=SC2034
emulated="api bases calls layer_objects texts networks choice published adjoints forks wrong_calls stress"

# Prints digests for compare_digests.sh, and is run by it alone.
# shellcheck disable=SC2034
compared="digests"

sources_of() {
  case $1 in
    faults) echo "faults.c refused_calls.c network_example.c allocations.c process.c test.c" ;;
    stacks) echo "stacks.c refused_calls.c network_example.c process.c test.c" ;;
    forks | fuzz | memory | threads) echo "$1.c process.c test.c" ;;
    digests) echo "digests.c digest_layers.c digest_networks.c network_example.c test.c" ;;
    calls | networks) echo "$1.c network_example.c test.c" ;;
    wrong_calls) echo "wrong_calls.c wrong_groups.c wrong_bases.c wrong_descriptors.c wrong_arrays.c wrong_queries.c wrong_choice.c wrong_networks.c network_example.c test.c" ;;
    *) echo "$1.c test.c" ;;
  esac
}
