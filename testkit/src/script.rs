//! The scripted conversations with an API server: recorded from a real one, and replayed against
//! the simulator.
//!
//! It is one file: what is recorded and what is replayed are one format.

use futures::TryStreamExt;
use http::{Method, Request};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

/// Plays one scenario, in a namespace of its own, and returns what was asked and answered, in
/// order.
///
/// # Errors
///
/// Of the connection; refusals by the API server are part of the transcript.
pub async fn play(scenario: &str, client: Client) -> Result<Vec<Value>, Error> {
    let mut session = Session {
        client,
        transcript: Vec::new(),
        namespace: format!("script-{scenario}"),
    };
    session.create_namespace().await?;
    match scenario {
        "writes" => writes(&mut session).await?,
        "lists" => lists(&mut session).await?,
        "watches" => watches(&mut session).await?,
        "refusals" => refusals(&mut session).await?,
        other => return Err(format!("there is no scenario {other:?}").into()),
    }
    Ok(session.transcript)
}

/// What stops a scenario.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

const MERGE: &str = "application/merge-patch+json";

async fn writes(session: &mut Session) -> Result<(), Error> {
    let ingresses = session.ingresses();
    let created = session
        .create(&ingress("alpha", &json!({ "tier": "front" })))
        .await?;
    session
        .call(Method::GET, &format!("{ingresses}/alpha"), None)
        .await?;

    let mut changed = created.clone();
    changed["spec"]["rules"][0]["host"] = "changed.example.com".into();
    let updated = session
        .call(Method::PUT, &format!("{ingresses}/alpha"), Some(&changed))
        .await?;
    // The same again: an update that changes nothing makes no new version.
    session
        .call(Method::PUT, &format!("{ingresses}/alpha"), Some(&updated))
        .await?;
    // The version of the create is stale by now.
    session
        .call(Method::PUT, &format!("{ingresses}/alpha"), Some(&changed))
        .await?;
    // Without a version, the last writer wins.
    session
        .call(
            Method::PUT,
            &format!("{ingresses}/alpha"),
            Some(&ingress("alpha", &json!({}))),
        )
        .await?;
    // Status is not for an update of the object.
    let address = json!({ "status": { "loadBalancer": { "ingress": [{ "ip": "203.0.113.7" }] } } });
    session.patch("alpha", &address).await?;
    session.patch("alpha/status", &address).await?;
    session.patch("alpha", &json!({ "metadata": { "annotations": { "note": "one" }, "labels": { "tier": "back" } } })).await?;
    session
        .patch(
            "alpha",
            &json!({ "metadata": { "annotations": { "note": null } } }),
        )
        .await?;
    session
        .patch(
            "alpha",
            &json!({ "spec": { "ingressClassName": null, "defaultBackend": backend("fallback") } }),
        )
        .await?;
    session
        .patch("alpha", &json!({ "metadata": { "uid": "someone-else" } }))
        .await?;
    session
        .patch(
            "alpha",
            &json!({ "metadata": { "resourceVersion": "1" }, "spec": { "tls": [] } }),
        )
        .await?;

    session
        .create(&json!({
            "metadata": { "name": "held", "finalizers": ["example.com/hold"] },
            "spec": { "defaultBackend": backend("web") },
        }))
        .await?;
    session
        .call(Method::DELETE, &format!("{ingresses}/held"), None)
        .await?;
    session
        .call(Method::GET, &format!("{ingresses}/held"), None)
        .await?;
    session
        .patch("held", &json!({ "metadata": { "finalizers": null } }))
        .await?;
    session
        .call(Method::GET, &format!("{ingresses}/held"), None)
        .await?;

    session
        .call(Method::DELETE, &format!("{ingresses}/alpha"), None)
        .await?;
    session
        .call(Method::DELETE, &format!("{ingresses}/alpha"), None)
        .await?;
    Ok(())
}

async fn lists(session: &mut Session) -> Result<(), Error> {
    let ingresses = session.ingresses();
    session.call(Method::GET, &ingresses, None).await?;
    session
        .call(
            Method::GET,
            "/apis/networking.k8s.io/v1/namespaces/script-nowhere/ingresses",
            None,
        )
        .await?;
    for (index, name) in ["a", "b", "b-c", "c", "d"].into_iter().enumerate() {
        let tier = if index % 2 == 0 {
            json!({ "tier": "front" })
        } else {
            json!({ "tier": "back", "canary": "" })
        };
        session.create(&ingress(name, &tier)).await?;
    }
    let first = session
        .call(Method::GET, &format!("{ingresses}?limit=2"), None)
        .await?;
    // The pages to come are those of the first page's version.
    session
        .call(Method::DELETE, &format!("{ingresses}/c"), None)
        .await?;
    session.create(&ingress("e", &json!({}))).await?;
    session
        .patch(
            "d",
            &json!({ "metadata": { "labels": { "tier": "none" } } }),
        )
        .await?;
    let mut token = next(&first);
    while let Some(page) = token {
        let page = session
            .call(
                Method::GET,
                &format!("{ingresses}?limit=2&continue={page}"),
                None,
            )
            .await?;
        token = next(&page);
    }
    for selector in [
        "tier%3Dfront",
        "tier%3D%3Dback",
        "tier!%3Dfront",
        "tier%20in%20(front,back)",
        "tier%20notin%20(front)",
        "canary",
        "!canary",
        "tier%3Dback,canary%3D",
        "tier%3Dnobody",
    ] {
        session
            .call(
                Method::GET,
                &format!("{ingresses}?labelSelector={selector}"),
                None,
            )
            .await?;
    }
    session
        .call(
            Method::GET,
            &format!("{ingresses}?labelSelector=tier%3Dfront&limit=1"),
            None,
        )
        .await?;
    for selector in [
        "metadata.name%3Db-c",
        "metadata.name!%3Da,metadata.name!%3Db",
        "metadata.namespace%3Dscript-lists",
    ] {
        session
            .call(
                Method::GET,
                &format!("{ingresses}?fieldSelector={selector}"),
                None,
            )
            .await?;
    }
    let version = version(&first);
    session
        .call(
            Method::GET,
            &format!("{ingresses}?resourceVersion={version}&resourceVersionMatch=Exact"),
            None,
        )
        .await?;
    session
        .call(
            Method::GET,
            &format!("{ingresses}?resourceVersion={version}&resourceVersionMatch=NotOlderThan"),
            None,
        )
        .await?;
    session
        .call(
            Method::DELETE,
            &format!("{ingresses}?labelSelector=tier%3Dfront"),
            None,
        )
        .await?;
    session.call(Method::GET, &ingresses, None).await?;
    Ok(())
}

async fn watches(session: &mut Session) -> Result<(), Error> {
    let ingresses = session.ingresses();
    let empty = version(&session.call(Method::GET, &ingresses, None).await?);
    session
        .create(&ingress("alpha", &json!({ "tier": "front" })))
        .await?;
    session
        .create(&ingress("beta", &json!({ "tier": "back" })))
        .await?;
    let listed = version(&session.call(Method::GET, &ingresses, None).await?);

    let all = session
        .watch(&format!("resourceVersion={listed}&timeoutSeconds=5"))
        .await?;
    let selected = session
        .watch(&format!(
            "resourceVersion={listed}&timeoutSeconds=5&labelSelector=tier%3Dfront"
        ))
        .await?;
    let named = session
        .watch(&format!(
            "resourceVersion={listed}&timeoutSeconds=5&fieldSelector=metadata.name%3Dbeta"
        ))
        .await?;
    session
        .patch(
            "alpha",
            &json!({ "metadata": { "annotations": { "note": "still in front" } } }),
        )
        .await?;
    session
        .patch(
            "beta",
            &json!({ "metadata": { "labels": { "tier": "front" } } }),
        )
        .await?;
    session
        .patch(
            "alpha",
            &json!({ "metadata": { "labels": { "tier": "back" } } }),
        )
        .await?;
    session
        .patch(
            "alpha",
            &json!({ "metadata": { "annotations": { "note": "unseen" } } }),
        )
        .await?;
    session
        .create(&ingress("gamma", &json!({ "tier": "front" })))
        .await?;
    session
        .call(Method::DELETE, &format!("{ingresses}/alpha"), None)
        .await?;
    session
        .call(Method::DELETE, &format!("{ingresses}/beta"), None)
        .await?;
    session
        .create(&ingress("beta", &json!({ "tier": "front" })))
        .await?;
    for watch in [all, selected, named] {
        session.finish(watch).await?;
    }

    // A bookmark comes shortly before the end where something has happened since the start.
    let bookmarked = session
        .watch(&format!(
            "resourceVersion={listed}&allowWatchBookmarks=true&timeoutSeconds=5"
        ))
        .await?;
    session
        .patch(
            "gamma",
            &json!({ "metadata": { "annotations": { "note": "before the bookmark" } } }),
        )
        .await?;
    session.finish(bookmarked).await?;

    for query in [
        // The whole history of this namespace, to which no bookmark adds anything.
        format!("resourceVersion={empty}&allowWatchBookmarks=true&timeoutSeconds=3"),
        format!("resourceVersion={listed}&timeoutSeconds=1&labelSelector=tier%3Dfront"),
        // The present state first.
        "timeoutSeconds=1".to_owned(),
        "resourceVersion=0&timeoutSeconds=1&labelSelector=tier%3Dfront".to_owned(),
        // A streaming list.
        "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1".to_owned(),
        "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1".to_owned(),
        format!("sendInitialEvents=false&resourceVersion={listed}&resourceVersionMatch=NotOlderThan&timeoutSeconds=1"),
        // Versions before the API server's start and yet to come.
        "resourceVersion=1&timeoutSeconds=1".to_owned(),
        "resourceVersion=900000000&timeoutSeconds=1".to_owned(),
    ] {
        let watch = session.watch(&query).await?;
        session.finish(watch).await?;
    }
    Ok(())
}

async fn refusals(session: &mut Session) -> Result<(), Error> {
    let ingresses = session.ingresses();
    session.create(&ingress("alpha", &json!({}))).await?;
    session.create(&ingress("alpha", &json!({}))).await?;
    session.create(&ingress("Not_Valid", &json!({}))).await?;
    session
        .create(&ingress(&"x".repeat(254), &json!({})))
        .await?;
    session
        .create(&json!({ "metadata": {}, "spec": { "defaultBackend": backend("web") } }))
        .await?;
    session
        .create(&json!({ "metadata": { "name": "empty" }, "spec": {} }))
        .await?;
    session.create(&json!({ "metadata": { "name": "other", "namespace": "elsewhere" }, "spec": { "defaultBackend": backend("web") } })).await?;
    session
        .create(&json!({ "kind": "Service", "apiVersion": "v1", "metadata": { "name": "other" } }))
        .await?;
    let mut versioned = ingress("versioned", &json!({}));
    versioned["metadata"]["resourceVersion"] = "7".into();
    session.create(&versioned).await?;
    for path in [
        json!({ "path": "/", "backend": backend("web") }),
        json!({ "path": "relative", "pathType": "Prefix", "backend": backend("web") }),
        json!({ "path": "/", "pathType": "Regex", "backend": backend("web") }),
        json!({ "path": "/", "pathType": "Prefix", "backend": {} }),
        json!({ "path": "/", "pathType": "Prefix", "backend": { "service": { "name": "web" } } }),
    ] {
        session.create(&json!({ "metadata": { "name": "bad" }, "spec": { "rules": [{ "http": { "paths": [path] } }] } })).await?;
    }
    let elsewhere = "/apis/networking.k8s.io/v1/namespaces/script-nowhere/ingresses";
    session
        .call(Method::POST, elsewhere, Some(&ingress("alpha", &json!({}))))
        .await?;
    for name in ["Not_Valid", "script-refusals"] {
        session
            .call(
                Method::POST,
                "/api/v1/namespaces",
                Some(&json!({ "metadata": { "name": name } })),
            )
            .await?;
    }
    for path in ["missing", "alpha/nothing"] {
        session
            .call(Method::GET, &format!("{ingresses}/{path}"), None)
            .await?;
    }
    session
        .call(Method::GET, "/apis/networking.k8s.io/v1/nothings", None)
        .await?;
    session
        .call(
            Method::PUT,
            &format!("{ingresses}/alpha"),
            Some(&ingress("beta", &json!({}))),
        )
        .await?;
    session
        .call(
            Method::PUT,
            &format!("{ingresses}/missing"),
            Some(&ingress("missing", &json!({}))),
        )
        .await?;
    session
        .patch(
            "missing",
            &json!({ "metadata": { "labels": { "a": "b" } } }),
        )
        .await?;
    session
        .patch("alpha", &json!({ "spec": { "rules": null } }))
        .await?;
    session
        .call(
            Method::DELETE,
            &format!("{ingresses}/alpha"),
            Some(&json!({ "preconditions": { "uid": "other" } })),
        )
        .await?;
    session
        .call(Method::DELETE, &format!("{ingresses}/missing"), None)
        .await?;
    session
        .call(
            Method::POST,
            &format!("{ingresses}/alpha"),
            Some(&json!({})),
        )
        .await?;
    for query in [
        "continue=nonsense",
        "labelSelector=%3D%3D",
        "fieldSelector=spec.nothing%3D1",
        "resourceVersion=abc",
        "resourceVersionMatch=Exact",
        "resourceVersion=900000000&resourceVersionMatch=NotOlderThan",
        "sendInitialEvents=true",
        "watch=true&sendInitialEvents=true&timeoutSeconds=1",
        "watch=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1",
        "watch=true&resourceVersion=abc&timeoutSeconds=1",
    ] {
        session
            .call(Method::GET, &format!("{ingresses}?{query}"), None)
            .await?;
    }
    Ok(())
}

fn ingress(name: &str, labels: &Value) -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": { "name": name, "labels": labels },
        "spec": {
            "ingressClassName": "nginx",
            "rules": [{
                "host": format!("{}.example.com", name.chars().take(20).collect::<String>()),
                "http": { "paths": [{ "path": "/", "pathType": "Prefix", "backend": backend("web") }] },
            }],
        },
    })
}

fn backend(service: &str) -> Value {
    json!({ "service": { "name": service, "port": { "number": 80 } } })
}

fn next(list: &Value) -> Option<String> {
    list["metadata"]["continue"].as_str().map(str::to_owned)
}

fn version(list: &Value) -> String {
    list["metadata"]["resourceVersion"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

struct Session {
    client: Client,
    transcript: Vec<Value>,
    namespace: String,
}

/// A watch that has been answered but not yet read.
struct OpenWatch {
    query: String,
    response: http::Response<Body>,
}

impl Session {
    fn ingresses(&self) -> String {
        format!(
            "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
            self.namespace
        )
    }

    async fn create_namespace(&mut self) -> Result<(), Error> {
        let namespace = json!({ "metadata": { "name": self.namespace } });
        self.call(Method::POST, "/api/v1/namespaces", Some(&namespace))
            .await?;
        Ok(())
    }

    async fn create(&mut self, object: &Value) -> Result<Value, Error> {
        self.call(Method::POST, &self.ingresses(), Some(object))
            .await
    }

    async fn patch(&mut self, name: &str, patch: &Value) -> Result<Value, Error> {
        let path = format!("{}/{name}", self.ingresses());
        self.send(Method::PATCH, &path, MERGE, Some(patch)).await
    }

    async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        self.send(method, path, "application/json", body).await
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        kind: &str,
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        let response = self.request(method.clone(), path, kind, body).await?;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await?.to_bytes();
        let answer = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        let mut request = json!({ "method": method.as_str(), "path": path });
        if let Some(body) = body {
            request["body"] = body.clone();
        }
        self.transcript
            .push(json!({ "request": request, "status": status, "answer": answer }));
        Ok(answer)
    }

    async fn watch(&mut self, query: &str) -> Result<OpenWatch, Error> {
        let path = format!("{}?watch=true&{query}", self.ingresses());
        let response = self
            .request(Method::GET, &path, "application/json", None)
            .await?;
        Ok(OpenWatch {
            query: query.to_owned(),
            response,
        })
    }

    /// Reads a watch to its end.
    async fn finish(&mut self, watch: OpenWatch) -> Result<(), Error> {
        let status = watch.response.status().as_u16();
        let bytes: Vec<u8> = watch
            .response
            .into_body()
            .into_data_stream()
            .try_fold(Vec::new(), async |mut all, chunk| {
                all.extend_from_slice(&chunk);
                Ok(all)
            })
            .await?;
        let lines = bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        let events: Vec<Value> = lines
            .map(serde_json::from_slice)
            .collect::<Result<_, _>>()?;
        self.transcript.push(
            json!({ "request": { "watch": watch.query }, "status": status, "events": events }),
        );
        Ok(())
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: Option<&Value>,
    ) -> Result<http::Response<Body>, Error> {
        let body = body
            .map(|body| body.to_string().into_bytes())
            .unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", kind)
            .body(Body::from(body))?;
        Ok(self.client.send(request).await?)
    }
}
