#include <utility>

#include "api/content.h"
#include "api/error_response.h"
#include "api/page_response.h"
#include "api/query.h"
#include "api/server_api.h"
#include "api/upload_form.h"
#include "core/openai/wire.h"
#include "platform/observe/log.h"

namespace offpeak {
namespace {

constexpr ListRules kFileList{
    .limit_default = 10'000, .limit_max = 10'000, .ordered = true, .purposes = true};

Task<http::Response> create_file(const ApiWorld& world, std::uint64_t bytes_max, Call& call) {
  auto received = co_await receive_upload(world.files, world.workers, call.project, call.request,
                                          call.body, bytes_max);
  if (!received) {
    log::debug("api", "an upload is refused: {}", received.error().message);
    co_return error_response(received.error());
  }
  if (auto earlier = call.repeats.answered(call, received->fingerprint())) {
    co_return std::move(*earlier);
  }
  auto make = [&received, &call] { return received->make(call.mark); };
  const auto file = co_await offload(world.workers, std::move(make));
  co_return file ? json_response(file_object(*file)) : error_response(file.error());
}

Result<http::Response> created_file(const ApiWorld& world, Call& call, const std::string& id) {
  const auto file = world.files.meta.file(call.project, FileId(id));
  if (!file) return std::unexpected(file.error());
  return json_response(file_object(*file));
}

Task<http::Response> list_files(const ApiWorld& world, Call& call) {
  const auto query = parse_list_query(call.request.query(), kFileList);
  if (!query) co_return error_response(query.error());
  co_return page_response(world.files.meta.files(call.project, *query), file_object);
}

Task<http::Response> retrieve_file(const ApiWorld& world, Call& call) {
  const auto file = world.files.meta.file(call.project, FileId(call.arguments[0]));
  co_return file ? json_response(file_object(*file)) : error_response(file.error());
}

Task<http::Response> delete_file(const ApiWorld& world, Call& call) {
  auto remove = [&world, &call] {
    return world.files.meta.delete_file(call.project, FileId(call.arguments[0]));
  };
  const auto file = co_await offload(world.workers, std::move(remove));
  co_return file ? json_response(deleted_object(file->id.text(), "file"))
                 : error_response(file.error());
}

Task<http::Response> file_content(const ApiWorld& world, Call& call) {
  const auto file = world.files.meta.file(call.project, FileId(call.arguments[0]));
  if (!file) co_return error_response(file.error());
  auto reader = FileReader::open(world.files.blobs, file->content);
  if (!reader) {
    log::error("files", "file {} cannot be opened: {}", file->id, reader.error().message);
    co_return error_response({ErrorKind::internal, reader.error().message});
  }
  co_return content_response(*file, std::move(*reader), call.request, world.workers);
}

}  // namespace

void add_file_routes(Router& router, const ApiWorld& world, const ApiSettings& settings) {
  router.add({.method = "POST",
              .pattern = "/v1/files",
              .body = BodyKind::form,
              .doc = {"createFile", "Uploads a file", "CreateFileRequest", "File"},
              .serve = [&world, bytes_max = settings.file_bytes_max](
                           Call& call) { return create_file(world, bytes_max, call); },
              .again = [&world](Call& call,
                                const std::string& id) { return created_file(world, call, id); }});
  router.add({.method = "GET",
              .pattern = "/v1/files",
              .doc = {"listFiles",
                      "Lists the project's files",
                      {},
                      "FileList",
                      {"after", "fileLimit", "order", "purpose"}},
              .serve = [&world](Call& call) { return list_files(world, call); }});
  router.add({.method = "GET",
              .pattern = "/v1/files/{file_id}",
              .doc = {"retrieveFile", "One file's facts", {}, "File"},
              .serve = [&world](Call& call) { return retrieve_file(world, call); }});
  router.add(
      {.method = "DELETE",
       .pattern = "/v1/files/{file_id}",
       .doc = {"deleteFile", "Deletes a file; a batch that reads it goes on", {}, "DeletedFile"},
       .serve = [&world](Call& call) { return delete_file(world, call); }});
  router.add({.method = "GET",
              .pattern = "/v1/files/{file_id}/content",
              .doc = {"downloadFile", "A file's bytes; takes Range"},
              .serve = [&world](Call& call) { return file_content(world, call); }});
}

}  // namespace offpeak
