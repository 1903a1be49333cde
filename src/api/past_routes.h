// The calls that ask for what was: series, history, the audit log, the screen of a moment. Internal
// to api.
#pragma once

#include <httplib.h>

#include <functional>
#include <string>

#include "payops/api/access.h"
#include "payops/api/feed.h"
#include "payops/api/past.h"

namespace payops::api {

using SignedIn = std::function<void(const Identity&, const httplib::Request&, httplib::Response&)>;
// A handler that is run for whoever may only: console.cc.
using Guard =
    std::function<httplib::Server::Handler(Right right, const std::string& what, SignedIn handler)>;

// `past` may be null where there is no log to ask; it and the feed outlive the server.
void route_past(httplib::Server& server, const Guard& guarded, const Feed& feed, Past* past);

}  // namespace payops::api
