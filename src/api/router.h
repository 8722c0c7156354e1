// The route table: which method on which path is served by whom, for what kind of caller, and how
// the API's description (openapi.h) names it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "core/records/request_mark.h"
#include "platform/http/message.h"

namespace offpeak {

class Repeats;
struct Route;

/// One call as a route sees it. Lives until its task is done.
struct Call {
  http::Request& request;
  http::RequestBody& body;
  const Route& route;
  Repeats& repeats;
  ProjectId project = {};                   // the caller's; empty on open and operator routes
  KeyId key = {};                           // likewise
  std::vector<std::string> arguments = {};  // the path's {…} segments, decoded
  std::string text = {};                    // the whole body, on routes with BodyKind::text
  RequestMark mark = {};                    // to be stored with what a POST makes
  std::vector<std::string> held = {};       // by Repeats, until the call has ended
};

enum class Access { open, project, operator_only };

enum class BodyKind {
  none,  // what comes is ignored
  text,  // read whole before the route is called
  form,  // multipart/form-data, read by the route
};

/// A JSON body of the control plane, read whole.
inline constexpr std::uint64_t kJsonBodyMax = 1024 * 1024;

/// Names are those of schemas and parameters in schemas.json.
struct RouteDoc {
  std::string_view operation;  // operationId, such as "createBatch"
  std::string_view summary;
  std::string_view request = {};  // schema of the body
  std::string_view reply = {};    // schema of the 200 reply; empty: bytes, not JSON
  std::vector<std::string_view> query = {};
};

struct Route {
  std::string_view method;
  std::string_view pattern;  // "/v1/files/{file_id}"
  Access access = Access::project;
  BodyKind body = BodyKind::none;
  std::uint64_t body_bytes_max = kJsonBodyMax;  // of BodyKind::text
  bool spends_tokens = false;                   // counts against the limit of tokens a minute
  RouteDoc doc;
  std::function<Task<http::Response>(Call&)> serve;
  /// Of a route that makes an object: the object's reply again, for a client that lost the first
  /// one. not_found if it is gone.
  std::function<Result<http::Response>(Call&, const std::string& id)> again = {};
};

class Router {
 public:
  void add(Route route);

  struct Match {
    const Route* route = nullptr;
    std::vector<std::string> arguments;
  };
  /// not_found with the service's text for an unknown path, method_not_allowed for a known one.
  /// HEAD is served as GET, whose body is then not sent.
  Result<Match> match(std::string_view method, std::string_view path) const;
  /// The methods of a path, as the Allow header lists them.
  std::string allowed_methods(std::string_view path) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace offpeak
