#include <utility>

#include "api/error_response.h"
#include "api/page_response.h"
#include "api/query.h"
#include "api/server_api.h"
#include "core/openai/create_batch.h"
#include "core/openai/wire.h"

namespace offpeak {
namespace {

http::Response batch_response(const Result<BatchRecord>& batch) {
  return batch ? json_response(batch_object(*batch)) : error_response(batch.error());
}

Task<http::Response> create_batch(const ApiWorld& world, Call& call) {
  auto request = parse_create_batch(call.text);
  if (!request) co_return error_response(request.error());
  auto create = [&world, &call, &request] {
    return world.batches.create(call.project, std::move(*request), call.mark);
  };
  co_return batch_response(co_await offload(world.workers, std::move(create)));
}

Result<http::Response> created_batch(const ApiWorld& world, Call& call, const std::string& id) {
  const auto batch = world.batches.get(call.project, BatchId(id));
  if (!batch) return std::unexpected(batch.error());
  return json_response(batch_object(*batch));
}

Task<http::Response> list_batches(const ApiWorld& world, Call& call) {
  const auto query = parse_list_query(call.request.query(), {});
  if (!query) co_return error_response(query.error());
  co_return page_response(world.batches.list(call.project, *query), batch_object);
}

Task<http::Response> retrieve_batch(const ApiWorld& world, Call& call) {
  co_return batch_response(world.batches.get(call.project, BatchId(call.arguments[0])));
}

Task<http::Response> cancel_batch(const ApiWorld& world, Call& call) {
  auto cancel = [&world, &call] {
    return world.batches.cancel(call.project, BatchId(call.arguments[0]));
  };
  co_return batch_response(co_await offload(world.workers, std::move(cancel)));
}

}  // namespace

void add_batch_routes(Router& router, const ApiWorld& world) {
  router.add({.method = "POST",
              .pattern = "/v1/batches",
              .body = BodyKind::text,
              .doc = {"createBatch", "Creates a batch from an uploaded file of requests",
                      "CreateBatchRequest", "Batch"},
              .serve = [&world](Call& call) { return create_batch(world, call); },
              .again = [&world](Call& call,
                                const std::string& id) { return created_batch(world, call, id); }});
  router.add({.method = "GET",
              .pattern = "/v1/batches",
              .doc = {"listBatches",
                      "Lists the project's batches, newest first",
                      {},
                      "BatchList",
                      {"after", "limit"}},
              .serve = [&world](Call& call) { return list_batches(world, call); }});
  router.add({.method = "GET",
              .pattern = "/v1/batches/{batch_id}",
              .doc = {"retrieveBatch", "One batch", {}, "Batch"},
              .serve = [&world](Call& call) { return retrieve_batch(world, call); }});
  router.add({.method = "POST",
              .pattern = "/v1/batches/{batch_id}/cancel",
              .body = BodyKind::text,
              .doc = {"cancelBatch", "Cancels an unfinished batch", {}, "Batch"},
              .serve = [&world](Call& call) { return cancel_batch(world, call); }});
}

}  // namespace offpeak
