// Uploads in parts (contract section 2).
#include <optional>
#include <utility>

#include "api/error_response.h"
#include "api/form_reader.h"
#include "api/server_api.h"
#include "core/openai/body_fields.h"
#include "core/openai/uploads.h"
#include "core/openai/wire.h"
#include "pipeline/files/multipart_upload.h"

namespace offpeak {
namespace {

/// What the routes share; outlived by what it names.
struct UploadRoutes {
  const ApiWorld& world;
  MultipartUploads uploads;
  std::uint64_t bytes_max;
};

UploadId upload_of(const Call& call) {
  return UploadId(call.arguments[0]);
}

Task<http::Response> create_upload(const UploadRoutes& routes, Call& call) {
  auto request = parse_create_upload(call.text, routes.bytes_max);
  if (!request) co_return error_response(request.error());
  auto create = [&] { return routes.uploads.create(call.project, *request, call.mark); };
  const auto upload = co_await offload(routes.world.workers, std::move(create));
  co_return upload ? json_response(upload_object(*upload, {})) : error_response(upload.error());
}

Result<http::Response> created_upload(const UploadRoutes& routes, Call& call,
                                      const std::string& id) {
  const auto upload = routes.world.files.meta.upload(call.project, UploadId(id));
  if (!upload) return std::unexpected(upload.error());
  std::optional<FileRecord> file;
  if (upload->file) {
    if (auto found = routes.world.files.meta.file(call.project, *upload->file)) {
      file = std::move(*found);
    }
  }
  return json_response(upload_object(*upload, file));
}

/// A form whose one file is named `data`; other fields are ignored.
class PartForm {
 public:
  PartForm(const UploadRoutes& routes, const Call& call) : routes_(routes), call_(call) {}

  Task<Status> take(http::MultipartEvent event) {
    if (const auto* const begun = std::get_if<http::PartBegin>(&event)) {
      co_return co_await begin(*begun);
    }
    if (const auto* const data = std::get_if<http::PartData>(&event); data != nullptr && in_data_) {
      auto append = [this, bytes = data->bytes] { return part_->append(bytes); };
      co_return co_await offload(routes_.world.workers, std::move(append));
    }
    co_return Status();
  }

  std::optional<IncomingPart>& part() { return part_; }

 private:
  Task<Status> begin(const http::PartBegin& begun) {
    in_data_ = begun.name == "data";
    if (!in_data_) co_return Status();
    if (part_) {
      co_return fail(ErrorKind::invalid_request, "The form has more than one part named 'data'.",
                     {}, "data");
    }
    auto start = [this] { return routes_.uploads.start_part(call_.project, upload_of(call_)); };
    auto started = co_await offload(routes_.world.workers, std::move(start));
    if (!started) co_return std::unexpected(started.error());
    part_.emplace(std::move(*started));
    co_return Status();
  }

  const UploadRoutes& routes_;
  const Call& call_;
  std::optional<IncomingPart> part_;
  bool in_data_ = false;
};

Task<Result<IncomingPart>> receive_part(const UploadRoutes& routes, Call& call) {
  if (announces_more_than(call.request, kPartBytesMax)) co_return part_too_large();
  PartForm form(routes, call);
  const auto take = [&form](http::MultipartEvent event) { return form.take(std::move(event)); };
  auto read = co_await read_form(call.request, call.body, "the part 'data'", take);
  if (!read) co_return std::unexpected(read.error());
  if (form.part()) co_return std::move(*form.part());
  co_return missing_param("data");
}

Task<http::Response> add_part(const UploadRoutes& routes, Call& call) {
  auto received = co_await receive_part(routes, call);
  if (!received) co_return error_response(received.error());
  if (auto earlier = call.repeats.answered(call, received->content_hash())) {
    co_return std::move(*earlier);
  }
  auto finish = [&] { return received->finish(call.mark); };
  const auto part = co_await offload(routes.world.workers, std::move(finish));
  co_return part ? json_response(part_object(*part)) : error_response(part.error());
}

Task<http::Response> complete_upload(const UploadRoutes& routes, Call& call) {
  const auto request = parse_complete_upload(call.text);
  if (!request) co_return error_response(request.error());
  auto complete = [&] { return routes.uploads.complete(call.project, upload_of(call), *request); };
  const auto ended = co_await offload(routes.world.workers, std::move(complete));
  co_return ended ? json_response(upload_object(ended->upload, ended->file))
                  : error_response(ended.error());
}

Task<http::Response> cancel_upload(const UploadRoutes& routes, Call& call) {
  auto cancel = [&] { return routes.uploads.cancel(call.project, upload_of(call)); };
  const auto upload = co_await offload(routes.world.workers, std::move(cancel));
  co_return upload ? json_response(upload_object(*upload, {})) : error_response(upload.error());
}

}  // namespace

void add_upload_routes(Router& router, const ApiWorld& world, const ApiSettings& settings) {
  const UploadRoutes routes{world, MultipartUploads(world.files), settings.upload_bytes_max};
  router.add(
      {.method = "POST",
       .pattern = "/v1/uploads",
       .body = BodyKind::text,
       .doc = {"createUpload", "Begins a file that comes in parts", "CreateUploadRequest",
               "Upload"},
       .serve = [routes](Call& call) { return create_upload(routes, call); },
       .again = [routes](Call& call,
                         const std::string& id) { return created_upload(routes, call, id); }});
  // Nothing tells a part that is sent again from the next one with the same bytes, so it has no
  // `again`: a part too many is in nobody's part_ids and goes when the upload ends.
  router.add(
      {.method = "POST",
       .pattern = "/v1/uploads/{upload_id}/parts",
       .body = BodyKind::form,
       .doc = {"addUploadPart", "Adds a part, at most 64 MiB", "AddPartRequest", "UploadPart"},
       .serve = [routes](Call& call) { return add_part(routes, call); }});
  router.add({.method = "POST",
              .pattern = "/v1/uploads/{upload_id}/complete",
              .body = BodyKind::text,
              .doc = {"completeUpload", "Makes the parts, in the order of part_ids, a file",
                      "CompleteUploadRequest", "Upload"},
              .serve = [routes](Call& call) { return complete_upload(routes, call); }});
  router.add({.method = "POST",
              .pattern = "/v1/uploads/{upload_id}/cancel",
              .doc = {"cancelUpload", "Gives up an upload and its parts", {}, "Upload"},
              .serve = [routes](Call& call) { return cancel_upload(routes, call); }});
}

}  // namespace offpeak
