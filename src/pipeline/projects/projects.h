// Making a project and its first key.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "core/records/tenant.h"
#include "platform/meta/meta_store.h"

namespace offpeak {

struct NewProject {
  Project project;
  std::string api_key;  // shown once; the store knows only its hash
};

/// Conflict if the name is taken; invalid_request if it is empty or too long.
Result<NewProject> create_project(MetaStore& meta, const Clock& clock, Random& random,
                                  const std::string& name);

/// {"id", "object":"project", "name", "created_at", "api_key"}
boost::json::object project_object(const NewProject& made);

}  // namespace offpeak
