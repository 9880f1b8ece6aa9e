// The `quelea` command: an embedder of the library like any other.
#include <quelea/quelea.h>

#include <cstdio>

int main() {
  printf("quelea %s\n", quelea_version());
  return 0;
}
