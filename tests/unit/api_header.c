/* The public header is C: this file only has to compile. */
#include <quelea/quelea.h>

int quelea_header_is_c(void);

int quelea_header_is_c(void) {
  quelea_config config;
  quelea_config_init(&config);
  return config.struct_size == sizeof(quelea_config) ? 0 : 1;
}
