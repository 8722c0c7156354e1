#include "core/records/endpoint.h"

#include <algorithm>
#include <array>

namespace offpeak {
namespace {

constexpr std::array<EndpointRules, 8> kEndpoints = {{
    {"/v1/chat/completions", "Chat Completions", "messages", "Messages"},
    {"/v1/completions", "Completions", "prompt", "Prompt"},
    {"/v1/embeddings", "Embeddings", "input", "Input", true, true, true},
    {"/v1/images/edits", "Image Edits", "prompt", "Prompt", true, false},
    {"/v1/images/generations", "Image Generations", "prompt", "Prompt", true, false},
    {"/v1/moderations", "Moderations", "input", "Input", true, false},
    {"/v1/responses", "Responses", "input", "Input", false, false},
    {"/v1/videos", "Videos", "prompt", "Prompt", true, false},
}};

}  // namespace

std::span<const EndpointRules> endpoints() {
  return kEndpoints;
}

const EndpointRules* find_endpoint(std::string_view path) {
  const auto found = std::ranges::find(kEndpoints, path, &EndpointRules::path);
  return found == kEndpoints.end() ? nullptr : &*found;
}

}  // namespace offpeak
