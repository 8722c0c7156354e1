// The route table: which method on which path is served by whom, and for what kind of caller.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "platform/http/message.h"

namespace offpeak {

/// One call as a route sees it. Lives until its task is done.
struct Call {
  http::Request& request;
  http::RequestBody& body;
  ProjectId project;                   // the caller's; empty on open and operator routes
  std::vector<std::string> arguments;  // the path's {…} segments, decoded
};

enum class Access { open, project, operator_only };

struct Route {
  std::string_view method;
  std::string_view pattern;  // "/v1/files/{file_id}"
  Access access = Access::project;
  std::function<Task<http::Response>(Call&)> serve;
};

class Router {
 public:
  void add(Route route);

  struct Match {
    const Route* route = nullptr;
    std::vector<std::string> arguments;
  };
  /// not_found with the service's text for an unknown path, method_not_allowed for a known one.
  Result<Match> match(std::string_view method, std::string_view path) const;
  /// The methods of a path, as the Allow header lists them.
  std::string allowed_methods(std::string_view path) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace offpeak
