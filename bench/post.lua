-- For wrk: the same chat request again and again.
--   wrk -t1 -c64 -d5 -s bench/post.lua http://127.0.0.1:PORT/v1/chat/completions
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"model":"sim-model","max_tokens":64,"messages":[{"role":"user","content":"'
  .. string.rep("a friendly customer ", 15) .. '"}]}'
