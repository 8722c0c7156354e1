#include "pipeline/projects/projects.h"

#include <utility>

#include "core/openai/ids.h"
#include "platform/crypto/api_key.h"

namespace offpeak {

Result<NewProject> create_project(MetaStore& meta, const Clock& clock, Random& random,
                                  const std::string& name) {
  constexpr std::size_t kNameMax = 256;
  if (name.empty() || name.size() > kNameMax) {
    return fail(ErrorKind::invalid_request, "A project's name has 1 to 256 bytes.", "invalid_value",
                "name");
  }
  NewProject made{{make_project_id(random), name, clock.unix_now()}, make_api_key(random)};
  const ApiKey key{.id = make_key_id(random),
                   .project = made.project.id,
                   .sha256 = sha256_hex(made.api_key),
                   .redacted = redacted_key(made.api_key),
                   .created_at = made.project.created_at};
  if (auto created = meta.create_project(made.project, key); !created) {
    return std::unexpected(created.error());
  }
  return made;
}

boost::json::object project_object(const NewProject& made) {
  return {{"id", made.project.id.text()},
          {"object", "project"},
          {"name", made.project.name},
          {"created_at", made.project.created_at.time_since_epoch().count()},
          {"api_key", made.api_key}};
}

}  // namespace offpeak
