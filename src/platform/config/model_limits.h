// limits.per_model: a section of models, each a section of limits.
#pragma once

#include <string_view>

#include "platform/config/config.h"
#include "platform/config/settings.h"
#include "platform/config/yaml_tree.h"

namespace offpeak {

inline constexpr std::string_view kModelLimitsForm =
    "a section of 'model: {enqueued_tokens: …, enqueued_requests: …}'";

/// Replaces limits.per_model. What a model does not name is as for every model, which has been
/// assigned before.
void assign_model_limits(LimitsConfig& limits, const YamlNode& node, Problems& problems);

}  // namespace offpeak
