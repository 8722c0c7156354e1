// The endpoints that a batch may name, and what a request body of each must have (contract sections
// 3.3, 4.3, 9.3).
#pragma once

#include <span>
#include <string_view>

namespace offpeak {

struct EndpointRules {
  std::string_view path;    // "/v1/chat/completions"
  std::string_view name;    // in messages: "Chat Completions"
  std::string_view prompt;  // the member of the body that holds the prompt
  std::string_view prompt_name;
  bool prompt_required = true;
  bool model_required = true;
  bool counts_inputs = false;  // limits.embedding_inputs holds
};

/// All of them, in the order in which OpenAI's messages list them.
std::span<const EndpointRules> endpoints();

/// nullptr if a batch cannot name it.
const EndpointRules* find_endpoint(std::string_view path);

}  // namespace offpeak
