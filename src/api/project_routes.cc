// Operator's routes, not part of OpenAI's API: used by `offpeak project create` while a server
// runs.
#include <boost/json/parse.hpp>
#include <utility>

#include "api/error_response.h"
#include "api/server_api.h"
#include "core/openai/body_fields.h"
#include "pipeline/projects/projects.h"

namespace offpeak {
namespace {

Task<http::Response> create_project_route(const ApiWorld& world, Call& call) {
  boost::system::error_code error;
  const auto body = boost::json::parse(call.text, error);
  const auto* const name =
      !error && body.is_object() ? body.get_object().if_contains("name") : nullptr;
  if (name == nullptr || !name->is_string()) {
    co_return error_response(missing_param("name").error());
  }
  auto create = [&world, name = std::string(name->get_string())] {
    return create_project(world.files.meta, world.files.clock, world.files.random, name);
  };
  const auto made = co_await offload(world.workers, std::move(create));
  co_return made ? json_response(project_object(*made)) : error_response(made.error());
}

}  // namespace

void add_project_routes(Router& router, const ApiWorld& world) {
  router.add({.method = "POST",
              .pattern = "/internal/projects",
              .access = Access::operator_only,
              .body = BodyKind::text,
              .doc = {"createProject", "Makes a project and its first key", "CreateProjectRequest",
                      "ProjectWithKey"},
              .serve = [&world](Call& call) { return create_project_route(world, call); }});
}

}  // namespace offpeak
