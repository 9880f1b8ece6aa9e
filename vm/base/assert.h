// Assertions for programmers' errors. What a user can cause never reaches one.
#pragma once

#include <cstdio>
#include <cstdlib>

#if defined(QUELEA_ASSERTIONS) || !defined(NDEBUG)
#define QUELEA_ASSERT(condition)                                                             \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::fprintf(stderr, "%s:%d: assertion failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (0)
#else
#define QUELEA_ASSERT(condition) ((void)0)
#endif

#define QUELEA_LIKELY(x) __builtin_expect(!!(x), 1)
#define QUELEA_UNLIKELY(x) __builtin_expect(!!(x), 0)
