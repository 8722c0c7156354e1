// The API's description in OpenAPI 3.1, made from the route table and schemas.json, so that it
// cannot name a route that is not there nor miss one that is.
#pragma once

#include <boost/json/object.hpp>

#include "api/router.h"

namespace offpeak {

/// A route that names a schema or parameter which schemas.json lacks is a bug: aborts.
boost::json::object openapi_document(const Router& router);

}  // namespace offpeak
