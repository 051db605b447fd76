/*
 * The floor of a warm commitment: as many signatures as a commitment with 483 HTLCs needs, one after another, by libsecp256k1 itself.
 * Prints the milliseconds of the fastest of ROUNDS rounds.
 */
#include <secp256k1.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SIGNATURES = 484, ROUNDS = 15 };

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int main(void) {
  secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_SIGN);
  unsigned char secret[32], hash[32], compact[64];
  double best = 1e9;
  memset(secret, 1, sizeof secret);
  memset(hash, 2, sizeof hash);
  for (int round = 0; round < ROUNDS; round++) {
    double start = milliseconds();
    for (int i = 0; i < SIGNATURES; i++) {
      secp256k1_ecdsa_signature signature;
      if (!secp256k1_ecdsa_sign(context, &signature, hash, secret, NULL, NULL)) return 1;
      secp256k1_ecdsa_signature_serialize_compact(context, compact, &signature);
      memcpy(hash, compact, sizeof hash);
    }
    double took = milliseconds() - start;
    if (took < best) best = took;
  }
  printf("%.3f\n", best);
  return 0;
}
