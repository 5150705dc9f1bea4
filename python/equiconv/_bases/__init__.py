# SPDX-License-Identifier: Apache-2.0
"""What kernels are made of: functions on R^d and on H."""
