#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/error_response.h"
#include "api/server_api.h"
#include "core/openai/wire.h"

namespace offpeak {
namespace {

Task<http::Response> list_models(const ApiWorld& world, UnixSeconds created) {
  boost::json::array data;
  for (const auto& model : world.models.list()) {
    data.push_back(model_object(model.id, created, model.owned_by));
  }
  co_return json_response({{"object", "list"}, {"data", std::move(data)}});
}

Task<http::Response> retrieve_model(const ApiWorld& world, UnixSeconds created, Call& call) {
  const auto models = world.models.list();
  const auto found = std::ranges::find(models, call.arguments[0], &ModelDirectory::Listed::id);
  if (found == models.end()) {
    co_return error_response(
        {ErrorKind::not_found,
         fmt::format("The model '{}' does not exist or you do not have access to it.",
                     call.arguments[0]),
         "model_not_found", "model"});
  }
  co_return json_response(model_object(found->id, created, found->owned_by));
}

}  // namespace

void add_model_routes(Router& router, const ApiWorld& world, const ApiSettings& settings) {
  const UnixSeconds created = settings.started_at;
  router.add({.method = "GET",
              .pattern = "/v1/models",
              .doc = {"listModels", "The models that can be asked for", {}, "ModelList"},
              .serve = [&world, created](Call&) { return list_models(world, created); }});
  router.add(
      {.method = "GET",
       .pattern = "/v1/models/{model}",
       .doc = {"retrieveModel", "One model", {}, "Model"},
       .serve = [&world, created](Call& call) { return retrieve_model(world, created, call); }});
}

}  // namespace offpeak
