// MD5, where a protocol asks for it: a checksum of what came, not a protection against anyone.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace offpeak {

class Md5 {
 public:
  Md5();

  void update(std::string_view bytes);
  /// The 16 bytes of the digest of everything so far. Ends the object's use.
  std::string finish();

 private:
  std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> context_;
};

}  // namespace offpeak
