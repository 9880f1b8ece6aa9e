/* The public C interface of Quelea. */
#ifndef QUELEA_QUELEA_H
#define QUELEA_QUELEA_H

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library, "0.1.0"; a static string. */
const char* quelea_version(void);

#ifdef __cplusplus
}
#endif

#endif
