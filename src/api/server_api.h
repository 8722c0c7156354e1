// The API: a view over the services. Reads records, streams files, starts uploads, creates and
// cancels.
#pragma once

#include <cstdint>
#include <string>

#include "api/auth.h"
#include "api/rate_limits.h"
#include "api/repeats.h"
#include "api/router.h"
#include "base/clock.h"
#include "base/random.h"
#include "pipeline/batches/batch_service.h"
#include "pipeline/files/upload.h"
#include "pipeline/relay/relay.h"
#include "pipeline/upstream/model_directory.h"
#include "pipeline/webhooks/webhook_service.h"
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
  WebhookService& webhooks;
  const SecretBox& box;
  Workers& outbound;  // for calls that wait for somebody else's server
  Relay& relay;
};

struct ApiSettings {
  std::uint64_t file_bytes_max = 512ull << 20;
  std::string operator_key_sha256;  // of the key that makes projects
  UnixSeconds started_at;
  RateLimitSettings rate_limits = {};
  std::uint64_t inference_body_bytes = 64ull << 20;  // of a synchronous request
  std::uint64_t upload_bytes_max = 8ull << 30;       // of a file that comes in parts
};

class ServerApi final : public http::Handler {
 public:
  ServerApi(ApiWorld world, ApiSettings settings);

  Task<http::Response> handle(http::Request& request, http::RequestBody& body) override;
  http::Response refuse(const Error& error, std::string_view request_id) override;
  const Router& router() const { return router_; }

 private:
  Task<http::Response> route(http::Request& request, http::RequestBody& body);
  Task<http::Response> serve_project(Call& call);
  Task<http::Response> serve_once(Call& call);
  /// Unless it has been answered before.
  Task<http::Response> serve_post(Call& call);
  void add_own_routes();

  ApiWorld world_;
  ApiSettings settings_;
  Authenticator authenticator_;
  Repeats repeats_;
  RateLimits rate_limits_;
  Router router_;
  std::string openapi_;
};

/// Each adds its part of the route table.
void add_file_routes(Router& router, const ApiWorld& world, const ApiSettings& settings);
void add_upload_routes(Router& router, const ApiWorld& world, const ApiSettings& settings);
void add_batch_routes(Router& router, const ApiWorld& world);
void add_model_routes(Router& router, const ApiWorld& world, const ApiSettings& settings);
void add_inference_routes(Router& router, const ApiWorld& world, const ApiSettings& settings);
void add_project_routes(Router& router, const ApiWorld& world);
void add_webhook_routes(Router& router, const ApiWorld& world);

}  // namespace offpeak
