// The API: a view over the services. Reads records, streams files, starts uploads, creates and
// cancels.
#pragma once

#include <cstdint>
#include <string>

#include "api/router.h"
#include "base/clock.h"
#include "base/random.h"
#include "pipeline/batches/batch_service.h"
#include "pipeline/files/upload.h"
#include "pipeline/upstream/model_directory.h"
#include "platform/async/event_loop.h"
#include "platform/http/message.h"
#include "platform/meta/meta_store.h"

namespace offpeak {

/// What the API uses; everything outlives it.
struct ApiWorld {
  FileStores files;
  BatchService& batches;
  const ModelDirectory& models;
  Workers& workers;
};

struct ApiSettings {
  std::uint64_t file_bytes_max = 512ull << 20;
  std::string operator_key_sha256;  // of the key that makes projects
  UnixSeconds started_at;
};

class ServerApi final : public http::Handler {
 public:
  ServerApi(ApiWorld world, ApiSettings settings);

  Task<http::Response> handle(http::Request& request, http::RequestBody& body) override;
  http::Response refuse(const Error& error, std::string_view request_id) override;
  const Router& router() const { return router_; }

 private:
  Task<http::Response> route(http::Request& request, http::RequestBody& body);

  ApiWorld world_;
  ApiSettings settings_;
  Router router_;
};

/// Each adds its part of the route table.
void add_file_routes(Router& router, const ApiWorld& world, const ApiSettings& settings);
void add_batch_routes(Router& router, const ApiWorld& world);
void add_model_routes(Router& router, const ApiWorld& world, const ApiSettings& settings);
void add_project_routes(Router& router, const ApiWorld& world);

/// A JSON body, read whole.
inline constexpr std::uint64_t kJsonBodyMax = 1024 * 1024;
Task<Result<std::string>> read_body(Call& call, std::uint64_t bytes_max);

}  // namespace offpeak
