# SPDX-License-Identifier: Apache-2.0
"""Normal against mitotic cells."""
