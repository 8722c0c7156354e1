#include "platform/crypto/md5.h"

#include <openssl/evp.h>

#include <stdexcept>

namespace offpeak {
namespace {

void check(int result) {
  if (result != 1) throw std::runtime_error("OpenSSL offers no MD5");
}

}  // namespace

Md5::Md5() : context_(::EVP_MD_CTX_new(), ::EVP_MD_CTX_free) {
  check(::EVP_DigestInit_ex(context_.get(), ::EVP_md5(), nullptr));
}

void Md5::update(std::string_view bytes) {
  check(::EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

std::string Md5::finish() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  check(::EVP_DigestFinal_ex(context_.get(), digest, &size));
  return std::string(reinterpret_cast<const char*>(digest), size);
}

}  // namespace offpeak
