//! Reading Service, Deployment and WorkloadEntry.

use std::net::IpAddr;
use std::time::Duration;

use super::kubernetes::{
    Container, ContainerPort, Deployment, EnvValue, PortRef, Probe, Service, ServicePort, Transport,
    WorkloadEntry,
};
use crate::host;
use crate::text::{Fields, Value};

/// Real fields of a Service that change nothing here.
const SERVICE_IGNORED: &[&str] = &[
    "clusterIPs",
    "sessionAffinity",
    "sessionAffinityConfig",
    "ipFamilies",
    "ipFamilyPolicy",
    "internalTrafficPolicy",
    "externalTrafficPolicy",
    "publishNotReadyAddresses",
    "loadBalancerClass",
    "loadBalancerIP",
    "loadBalancerSourceRanges",
    "externalIPs",
    "allocateLoadBalancerNodePorts",
    "healthCheckNodePort",
];

/// Real fields of a pod that change nothing here.
const POD_IGNORED: &[&str] = &[
    "automountServiceAccountToken",
    "enableServiceLinks",
    "securityContext",
    "volumes",
    "restartPolicy",
    "terminationGracePeriodSeconds",
    "nodeSelector",
    "affinity",
    "tolerations",
    "topologySpreadConstraints",
    "imagePullSecrets",
    "dnsPolicy",
    "dnsConfig",
    "hostAliases",
    "priorityClassName",
    "priority",
    "schedulerName",
    "runtimeClassName",
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "hostUsers",
    "hostname",
    "subdomain",
    "setHostnameAsFQDN",
    "shareProcessNamespace",
    "serviceAccount",
    "preemptionPolicy",
    "readinessGates",
    "overhead",
    "os",
    "nodeName",
    "activeDeadlineSeconds",
    "schedulingGates",
    "resourceClaims",
    "resources",
];

/// Real fields of a container that change nothing here.
const CONTAINER_IGNORED: &[&str] = &[
    "imagePullPolicy",
    "resources",
    "securityContext",
    "volumeMounts",
    "volumeDevices",
    "workingDir",
    "lifecycle",
    "startupProbe",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "stdin",
    "stdinOnce",
    "tty",
    "resizePolicy",
];

pub(crate) fn read_service(value: &Value<'_>) -> Option<Service> {
    value.fields(|fields| {
        fields.accept(SERVICE_IGNORED);
        let external = fields.get("type").and_then(|v| v.text()).as_deref() == Some("ExternalName");
        let external_name = fields.get("externalName");
        if external && external_name.is_none() {
            fields
                .value()
                .problem("a Service of the type ExternalName needs `externalName`");
        }
        let cluster_ip = fields.get("clusterIP").and_then(|v| v.text());
        let ports = fields.get("ports").map(|v| v.list()).unwrap_or_default();
        Service {
            selector: fields.get("selector").map(|v| v.text_map()).unwrap_or_default(),
            ports: ports.iter().filter_map(read_service_port).collect(),
            headless: cluster_ip.as_deref() == Some("None"),
            cluster_ip: cluster_ip.filter(|address| address.parse::<IpAddr>().is_ok()),
            external_name: external_name.and_then(|v| v.text()).filter(|_| external),
            prefers_close: fields.get("trafficDistribution").and_then(|v| v.text()).is_some(),
        }
    })
}

fn read_service_port(value: &Value<'_>) -> Option<ServicePort> {
    value.fields(|fields| {
        fields.accept(&["nodePort"]);
        let transport = read_protocol(fields);
        let port = fields.required("port").and_then(|v| v.port());
        let target_port = fields.get("targetPort").and_then(|v| read_port_ref(&v));
        Some(ServicePort {
            name: fields.get("name").and_then(|v| read_port_name(&v)),
            transport,
            app_protocol: fields.get("appProtocol").and_then(|v| v.text()),
            target_port: target_port.unwrap_or(PortRef::Number(port.unwrap_or_default())),
            port: port?,
        })
    })?
}

/// The API server takes lower-case DNS labels.
fn read_port_name(value: &Value<'_>) -> Option<String> {
    let name = value.text().filter(|name| !name.is_empty())?;
    if !host::is_label(&name) || name.chars().any(|c| c.is_ascii_uppercase()) {
        value.problem_with(
            format!("`{name}` is not a name for a port"),
            "lower-case letters, digits and `-`, beginning and ending with a letter or digit",
        );
    }
    Some(name)
}

fn read_protocol(fields: &mut Fields<'_>) -> Transport {
    let words = [
        ("TCP", Transport::Tcp),
        ("UDP", Transport::Udp),
        ("SCTP", Transport::Sctp),
    ];
    let given = fields
        .get("protocol")
        .and_then(|protocol| protocol.choice(&words));
    given.unwrap_or_default()
}

fn read_port_ref(value: &Value<'_>) -> Option<PortRef> {
    if value.is_text() {
        return value.text().map(PortRef::Name);
    }
    value.port().map(PortRef::Number)
}

pub(crate) fn read_deployment(value: &Value<'_>) -> Option<Deployment> {
    value.fields(|fields| {
        fields.accept(&[
            "strategy",
            "minReadySeconds",
            "revisionHistoryLimit",
            "paused",
            "progressDeadlineSeconds",
        ]);
        let replicas = fields.get("replicas").and_then(|v| v.count()).unwrap_or(1);
        let selector = fields.required("selector").and_then(|v| {
            let labels = v.fields(|fields| {
                fields.not_supported(&["matchExpressions"]);
                fields
                    .get("matchLabels")
                    .map(|v| v.text_map())
                    .unwrap_or_default()
            });
            labels.map(|labels| (labels, v))
        });
        let mut deployment = fields
            .required("template")
            .and_then(|v| read_template(&v))
            .unwrap_or_default();
        if let Some((labels, at)) = selector
            && !labels
                .iter()
                .all(|(key, value)| deployment.template_labels.get(key) == Some(value))
        {
            at.problem("the labels of the template do not fit this selector");
        }
        deployment.replicas = replicas;
        deployment
    })
}

fn read_template(value: &Value<'_>) -> Option<Deployment> {
    value.fields(|fields| {
        let labels = fields.get("metadata").and_then(|v| {
            v.fields(|fields| {
                fields.accept(&["annotations", "name", "namespace", "creationTimestamp"]);
                fields.get("labels").map(|v| v.text_map())
            })
        });
        let (service_account, containers) = fields
            .required("spec")
            .and_then(|v| read_pod(&v))
            .unwrap_or_default();
        Deployment {
            replicas: 1,
            template_labels: labels.flatten().unwrap_or_default(),
            service_account,
            containers,
        }
    })
}

fn read_pod(value: &Value<'_>) -> Option<(String, Vec<Container>)> {
    value.fields(|fields| {
        fields.accept(POD_IGNORED);
        fields.not_supported(&["initContainers", "ephemeralContainers"]);
        let account = fields.get("serviceAccountName").and_then(|v| v.text());
        let containers = fields.required("containers");
        if let Some(at) = containers.as_ref().filter(|v| v.is_empty()) {
            at.problem("a pod needs a container");
        }
        let containers = containers.map(|v| v.list()).unwrap_or_default();
        let containers = containers.iter().filter_map(read_container).collect();
        (account.unwrap_or_else(|| "default".to_owned()), containers)
    })
}

fn read_container(value: &Value<'_>) -> Option<Container> {
    value.fields(|fields| {
        fields.accept(CONTAINER_IGNORED);
        fields.not_supported(&["envFrom"]);
        let list = |found: Option<Value<'_>>| found.map(|v| v.texts()).unwrap_or_default();
        let env = fields.get("env").map(|v| v.list()).unwrap_or_default();
        let ports = fields.get("ports").map(|v| v.list()).unwrap_or_default();
        Container {
            name: fields.required("name").and_then(|v| v.text()).unwrap_or_default(),
            image: fields
                .required("image")
                .and_then(|v| v.text())
                .unwrap_or_default(),
            command: list(fields.get("command")),
            args: list(fields.get("args")),
            env: env.iter().filter_map(read_env).collect(),
            ports: ports.iter().filter_map(read_container_port).collect(),
            readiness: fields.get("readinessProbe").and_then(|v| read_probe(&v)),
            liveness: fields.get("livenessProbe").and_then(|v| read_probe(&v)),
        }
    })
}

fn read_env(value: &Value<'_>) -> Option<(String, EnvValue)> {
    value.fields(|fields| {
        fields.at_most_one(&["value", "valueFrom"]);
        let name = fields.required("name").and_then(|v| v.text());
        let plain = fields.get("value").and_then(|v| v.text()).unwrap_or_default();
        let from = fields.get("valueFrom").and_then(|v| {
            v.fields(|fields| {
                fields.not_supported(&[
                    "configMapKeyRef",
                    "secretKeyRef",
                    "resourceFieldRef",
                    "fileKeyRef",
                ]);
                let field = fields.get("fieldRef")?;
                field.fields(|fields| {
                    fields.accept(&["apiVersion"]);
                    fields.required("fieldPath").and_then(|v| v.text())
                })?
            })?
        });
        Some((name?, from.map_or(EnvValue::Plain(plain), EnvValue::Field)))
    })?
}

fn read_container_port(value: &Value<'_>) -> Option<ContainerPort> {
    value.fields(|fields| {
        fields.accept(&["hostPort", "hostIP"]);
        read_protocol(fields);
        Some(ContainerPort {
            name: fields.get("name").and_then(|v| v.text()),
            container_port: fields.required("containerPort").and_then(|v| v.port())?,
        })
    })?
}

fn read_probe(value: &Value<'_>) -> Option<Probe> {
    value.fields(|fields| {
        fields.accept(&["successThreshold", "terminationGracePeriodSeconds"]);
        fields.not_supported(&["exec", "tcpSocket", "grpc"]);
        let mut seconds = |name, default: u32| {
            let number = fields.get(name).and_then(|v: Value<'_>| v.count());
            Duration::from_secs(number.unwrap_or(default).into())
        };
        let initial_delay = seconds("initialDelaySeconds", 0);
        let (period, timeout) = (seconds("periodSeconds", 10), seconds("timeoutSeconds", 1));
        let failure_threshold = fields
            .get("failureThreshold")
            .and_then(|v| v.count())
            .unwrap_or(3);
        let (path, port) = fields.get("httpGet").and_then(|v| read_http_get(&v))?;
        Some(Probe {
            path,
            port,
            initial_delay,
            period,
            timeout,
            failure_threshold,
        })
    })?
}

fn read_http_get(value: &Value<'_>) -> Option<(String, PortRef)> {
    value.fields(|fields| {
        fields.accept(&["host", "httpHeaders"]);
        if let Some(scheme) = fields.get("scheme")
            && scheme.choice(&[("HTTP", false), ("HTTPS", true)]) == Some(true)
        {
            scheme.not_supported();
        }
        let path = fields
            .get("path")
            .and_then(|v| v.text())
            .unwrap_or_else(|| "/".to_owned());
        Some((path, fields.required("port").and_then(|v| read_port_ref(&v))?))
    })?
}

pub(crate) fn read_workload_entry(value: &Value<'_>) -> Option<WorkloadEntry> {
    value.fields(|fields| {
        fields.accept(&["serviceAccount"]);
        fields.not_supported(&["network"]);
        let address = fields.required("address").and_then(|v| {
            let address = v.text()?;
            if address.parse::<IpAddr>().is_err() {
                v.problem(format!(
                    "`{address}` is not an IP address; other addresses are not supported yet"
                ));
            }
            Some(address)
        });
        let ports = fields.get("ports").map(|v| v.entries()).unwrap_or_default();
        let locality = fields.get("locality").and_then(|v| {
            let text = v.text()?;
            text.parse()
                .map_err(|error: crate::client::BadLocality| v.problem(error.to_string()))
                .ok()
        });
        WorkloadEntry {
            address: address.unwrap_or_default(),
            ports: ports
                .into_iter()
                .filter_map(|(key, v)| Some((key.value, v.port()?)))
                .collect(),
            labels: fields.get("labels").map(|v| v.text_map()).unwrap_or_default(),
            locality,
            weight: fields.get("weight").and_then(|v| v.count()),
        }
    })
}
