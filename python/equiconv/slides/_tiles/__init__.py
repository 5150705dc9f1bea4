# SPDX-License-Identifier: Apache-2.0
"""Which tiles a slide is computed in, and how much memory one takes."""
