// SPDX-License-Identifier: Apache-2.0
// This target is headers only; a C target needs one source file.
