# Keeps of what kubectl and istioctl print what mesh_state reads; nothing is changed but left out.
def names: map({name: .name});
if .configs then
  {configs: [.configs[]
    | if (."@type" | endswith("RoutesConfigDump")) and (."@type" | contains("Scoped") | not) then
        {"@type", dynamic_route_configs: [.dynamic_route_configs[]?
          | select(.route_config.name | test("8080$"))
          | .route_config.virtual_hosts |= map(select(.name | test("^(shop|auth-service|payment-service|\\*)")))]}
      elif (."@type" | endswith("ClustersConfigDump")) then
        {"@type", dynamic_active_clusters: [.dynamic_active_clusters[]
          | select(.cluster.name | startswith("outbound|8080|")) | {cluster: {name: .cluster.name}}]}
      elif (."@type" | endswith("ListenersConfigDump")) then
        {"@type", dynamic_listeners: [.dynamic_listeners[] | {name} + (if .error_state then {error_state} else {} end)]}
      else empty end]}
elif .items then
  {items: [.items[] | {metadata: (.metadata | {name, namespace, labels, deletionTimestamp}
      | with_entries(select(.value != null))),
    spec: {containers: (.spec.containers | names), initContainers: (.spec.initContainers // [] | names)},
    status: {phase: .status.phase}}]}
else . end
