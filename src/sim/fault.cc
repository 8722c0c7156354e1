#include "sim/fault.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

#include "sim/mix.h"

namespace offpeak::sim {
namespace {

constexpr std::array<std::pair<std::string_view, FaultKind>, 21> kNames = {{
    {"status", FaultKind::status},
    {"not-json", FaultKind::not_json},
    {"html", FaultKind::html},
    {"empty-body", FaultKind::empty_body},
    {"truncated", FaultKind::truncated},
    {"reset", FaultKind::reset},
    {"close-before-answer", FaultKind::close_before_answer},
    {"half-close", FaultKind::half_close},
    {"silence", FaultKind::silence},
    {"drip", FaultKind::drip},
    {"huge-header", FaultKind::huge_header},
    {"many-headers", FaultKind::many_headers},
    {"1xx", FaultKind::informational},
    {"redirect", FaultKind::redirect},
    {"bad-usage", FaultKind::bad_usage},
    {"pretty", FaultKind::pretty},
    {"odd-json", FaultKind::odd_json},
    {"close-after", FaultKind::close_after},
    {"chunked", FaultKind::chunked},
    {"eof-body", FaultKind::eof_body},
    {"big", FaultKind::big},
}};

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::string_view> next_part(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  const auto colon = text.find(':');
  const auto part = text.substr(0, colon);
  text = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  return part;
}

Status take_argument(FaultSpec& fault, std::string_view text) {
  const auto value = number<std::uint64_t>(text);
  if (!value) return fail(ErrorKind::invalid_request, fmt::format("'{}' is not a number", text));
  const bool is_status = fault.kind == FaultKind::status;
  if (is_status && (*value < 200 || *value > 599)) {
    return fail(ErrorKind::invalid_request, fmt::format("status {} is not in 200..599", *value));
  }
  fault.argument = *value;
  fault.name = fmt::format("{}-{}", is_status ? "status" : "big", *value);
  return {};
}

Status take_name(FaultSpec& fault, std::string_view name, std::string_view& rest) {
  const bool status_with_dash = name.starts_with("status-");
  const auto wanted = status_with_dash ? std::string_view("status") : name;
  for (const auto& [known, kind] : kNames) {
    if (known != wanted) continue;
    fault.name = known;
    fault.kind = kind;
    if (status_with_dash) return take_argument(fault, name.substr(7));
    if (kind == FaultKind::status || kind == FaultKind::big) {
      return take_argument(fault, next_part(rest).value_or(""));
    }
    return {};
  }
  return fail(ErrorKind::invalid_request,
              fmt::format("unknown fault '{}'; known: {}", name, fault_names()));
}

}  // namespace

std::string fault_names() {
  std::string out;
  for (const auto& [name, kind] : kNames) {
    if (!out.empty()) out += ", ";
    out += name;
    if (kind == FaultKind::status) out += "-CODE";
    if (kind == FaultKind::big) out += ":BYTES";
  }
  return out;
}

Result<FaultSpec> parse_fault(std::string_view text) {
  FaultSpec fault;
  auto rest = text;
  const auto named = take_name(fault, next_part(rest).value_or(""), rest);
  if (!named) return std::unexpected(named.error());
  const auto rate = number<double>(next_part(rest).value_or(""));
  if (!rate || !(*rate >= 0 && *rate <= 1)) {
    return fail(ErrorKind::invalid_request,
                fmt::format("fault '{}': want NAME:RATE[:TIMES] with a rate of 0 to 1", text));
  }
  fault.rate = *rate;
  if (const auto times = next_part(rest)) {
    fault.times = number<std::uint32_t>(*times);
    if (!fault.times || !rest.empty()) {
      return fail(ErrorKind::invalid_request,
                  fmt::format("fault '{}': TIMES must be one whole number", text));
    }
  }
  return fault;
}

Status FaultPlan::replace(std::vector<FaultSpec> faults) {
  double sum = 0;
  for (const auto& fault : faults) sum += fault.rate;
  if (sum > 1 + 1e-9) {
    return fail(ErrorKind::invalid_request,
                fmt::format("the fault rates add up to {}, more than 1", sum));
  }
  faults_ = std::move(faults);
  return {};
}

const FaultSpec* FaultPlan::choose(std::uint64_t body_hash, std::uint32_t attempt) const {
  if (faults_.empty()) return nullptr;
  double drawn = mix_unit(body_hash ^ mix(seed_));
  for (const auto& fault : faults_) {
    if (drawn < fault.rate) {
      return fault.times && attempt > *fault.times ? nullptr : &fault;
    }
    drawn -= fault.rate;
  }
  return nullptr;
}

}  // namespace offpeak::sim
