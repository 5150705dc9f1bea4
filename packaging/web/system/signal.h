// SPDX-License-Identifier: Apache-2.0

/// No signals, since there are none.

#pragma once

#define __NEED_sigset_t
#include <bits/alltypes.h>

#define SIGILL 4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGBUS 7
#define SIGFPE 8
#define SIGSEGV 11
#define SIGSYS 31
#define SIG_SETMASK 2

static inline int sigfillset(sigset_t *set) { return *set = 0, 0; }
static inline int sigdelset(sigset_t *set, int signal) { return (void)set, (void)signal, 0; }
static inline int pthread_sigmask(int how, const sigset_t *set, sigset_t *before) {
  (void)how, (void)set;
  if (before) *before = 0;
  return 0;
}
