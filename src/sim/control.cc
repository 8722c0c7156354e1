// The routes of Simulator that are not inference: models, health, metrics, and /sim/*.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "sim/responses.h"
#include "sim/simulator.h"

namespace offpeak::sim {
namespace {

namespace json = boost::json;

std::string error_body(int status, std::string_view message) {
  std::string out;
  render_error(status, message, "", out);
  return out;
}

Result<json::value> parse_json(std::string_view body) {
  boost::system::error_code failed;
  auto value = json::parse(json::string_view(body.data(), body.size()), failed);
  if (failed) return fail(ErrorKind::invalid_request, "the body is not JSON: " + failed.message());
  return value;
}

std::string number_text(const json::value* value) {
  return value != nullptr && value->is_number() ? fmt::format("{}", value->to_number<double>())
                                                : std::string();
}

/// "status-500:0.1:2", or {"name":"status-500","rate":0.1,"times":2}.
Result<FaultSpec> fault_of(const json::value& value) {
  if (value.is_string()) return parse_fault(std::string_view(value.get_string()));
  if (!value.is_object()) {
    return fail(ErrorKind::invalid_request, "a fault is a string or an object");
  }
  const auto& object = value.get_object();
  const auto* name = object.if_contains("name");
  if (name == nullptr || !name->is_string()) {
    return fail(ErrorKind::invalid_request, "a fault needs a name");
  }
  const auto* rate = object.if_contains("rate");
  auto text = fmt::format("{}:{}", std::string_view(name->get_string()),
                          rate != nullptr ? number_text(rate) : "1");
  if (const auto* times = object.if_contains("times"); times != nullptr && !times->is_null()) {
    text += ":" + number_text(times);
  }
  return parse_fault(text);
}

}  // namespace

Status Simulator::set_faults(std::string_view body) {
  const auto value = parse_json(body);
  if (!value) return std::unexpected(value.error());
  if (!value->is_array()) return fail(ErrorKind::invalid_request, "want a list of faults");
  std::vector<FaultSpec> faults;
  for (const auto& item : value->get_array()) {
    auto fault = fault_of(item);
    if (!fault) return std::unexpected(fault.error());
    faults.push_back(std::move(*fault));
  }
  return faults_.replace(std::move(faults));
}

/// {"latency":"25"} as on the command line, or {"ms":25}.
Status Simulator::set_latency(std::string_view body) {
  const auto value = parse_json(body);
  if (!value) return std::unexpected(value.error());
  std::string text;
  if (value->is_object()) {
    const auto& object = value->get_object();
    if (const auto* given = object.if_contains("latency"); given != nullptr && given->is_string()) {
      text = std::string_view(given->get_string());
    } else {
      text = number_text(object.if_contains("ms"));
    }
  }
  const auto latency = parse_latency(text);
  if (!latency) return std::unexpected(latency.error());
  latency_ = *latency;
  return {};
}

std::string Simulator::post_control(const HttpRequest& request, int& status) {
  Status done;
  if (request.path == "/sim/faults") {
    done = set_faults(request.body);
  } else if (request.path == "/sim/latency") {
    done = set_latency(request.body);
  } else if (request.path == "/sim/reset") {
    reset_counters();
  } else {
    done = fail(ErrorKind::not_found, "no such control");
  }
  if (done) return R"({"ok":true})";
  status = done.error().kind == ErrorKind::not_found ? 404 : 400;
  return error_body(status, done.error().message);
}

void Simulator::control(const HttpRequest& request, Exchange& exchange, Now now) {
  std::string body;
  Reply reply{.keep_alive = request.keep_alive};
  auto path = request.path;
  if (request.method == "POST" && options_.fault_control && path.starts_with("/sim/")) {
    body = post_control(request, reply.status);
  } else if (request.method != "GET") {
    reply.status = 404;
    body = error_body(404, fmt::format("no route {} {}", request.method, path));
  } else if (path == "/v1/models" || path == "/models") {
    body = render_models(options_.models, now.unix_seconds);
  } else if (path == "/health" || path == "/v1/health") {
    body = R"({"status":"ok"})";
  } else if (path == "/metrics") {
    reply.content_type = "text/plain; version=0.0.4";
    body = render_prometheus(metrics_, gauges(), options_.models.front());
  } else if (path == "/sim/stats") {
    body = render_stats(metrics_, gauges());
  } else {
    reply.status = 404;
    body = error_body(404, fmt::format("no route GET {}", path));
  }
  reply.body = body;
  render_wire(reply, nullptr, now.unix_seconds, options_.retry_hints, exchange.answer);
}

}  // namespace offpeak::sim
