package compose_test

import "testing"

// TestWorld has the rows of the mapping table that are about what a service shares with others and with its node.
func TestWorld(t *testing.T) {
	for name, m := range map[string]mapping{
		"VolumesNamed": {
			reason:   "A volume with a name becomes a Volume; one without is gone with its task there, too.",
			service:  "volumes: [data:/data, 'assets:/srv/assets:ro', /cache]",
			rest:     "volumes: {data: {}, assets: {driver: local, labels: {team: shop}}}",
			spec:     "{volumes: [{name: data, mountPath: /data}, {name: assets, mountPath: /srv/assets, readOnly: true}], rollout: {order: StopFirst}}",
			findings: []string{"lost services.web.volumes[2]", "note volumes"},
		},
		"VolumesOfDrivers": {
			reason:   "A driver with options can mount whatever the node can reach; what lies on nodes is not given away by a name.",
			service:  "volumes: [share:/a, prod:/b, far:/c]",
			rest:     "volumes: {share: {driver_opts: {type: nfs, device: ':/x'}}, prod: {external: true}, far: {driver: rexray}}",
			spec:     "rollout: {order: StopFirst}",
			findings: []string{"lost services.web.volumes[0]", "lost services.web.volumes[1]", "lost services.web.volumes[2]", "refused volumes.share.driver_opts", "refused volumes.prod.external", "refused volumes.far.driver"},
		},
		"VolumesElsewhere": {
			reason:  "Nothing is mounted over the system, in the place of something else, or in part.",
			service: "volumes: [data:/etc, 'data:/proc/x', data:/cache, {type: volume, source: data, target: /part, volume: {subpath: a}}, {type: volume, source: data, target: /whole, volume: {nocopy: true}}]\ntmpfs: []\nconfigs: [{source: app, target: /cache}]",
			rest:    "volumes: {data: {}}\nconfigs: {app: {file: ./app.toml}}",
			spec:    "{files: [{path: /cache, configMapKeyRef: {name: app, key: app.toml}}], volumes: [{name: data, mountPath: /whole}], rollout: {order: StopFirst}}",
			findings: []string{
				"refused services.web.volumes[0]", "refused services.web.volumes[1]", "lost services.web.volumes[2]", "lost services.web.volumes[3]",
				"changed services.web.volumes[4]", "note volumes",
			},
		},
		"VolumesOfSeveral": {
			reason:   "One task writes to a volume that lives on one node.",
			service:  "volumes: [data:/data]\ndeploy: {replicas: 3, update_config: {order: start-first}}",
			others:   "zeta:\n  image: registry.example/zeta:1\n  volumes: [data:/data]\n",
			rest:     "volumes: {data: {}}",
			spec:     "{replicas: 3, volumes: [{name: data, mountPath: /data}], rollout: {order: StopFirst}}",
			findings: []string{"refused services.web.deploy.replicas", "changed services.web.deploy.update_config.order", "refused services.zeta.volumes[0]", "note volumes"},
		},
		"VolumesOfNodes": {
			reason:   "Nothing of a node is mounted, the engine's socket least of all.",
			service:  "volumes: ['./app.toml:/app.toml:ro', '/var/run/docker.sock:/var/run/docker.sock', '/etc:/host', {type: npipe, source: '\\\\.\\pipe\\x', target: /p}]",
			findings: []string{"refused services.web.volumes[0]", "refused services.web.volumes[1]", "refused services.web.volumes[2]", "refused services.web.volumes[3]"},
		},
		"Tmpfs": {
			reason:   "Both forms have a size; where none is declared one is chosen, and said.",
			service:  "tmpfs: ['/tmp:size=32m,mode=1770', /run]\nvolumes: [{type: tmpfs, target: /cache, tmpfs: {size: 1048576}}, {type: tmpfs, target: /scratch}]",
			spec:     "tmpfs: [{mountPath: /cache, size: 1Mi}, {mountPath: /scratch, size: 64Mi}, {mountPath: /tmp, size: 32Mi, mode: 1016}]",
			findings: []string{"changed services.web.volumes[1]", "refused services.web.tmpfs[1]"},
		},
		"Configs": {
			reason:  "They become ConfigMaps, mounted where Compose would.",
			service: "configs: [app, {source: inline, target: /etc/inline.conf, mode: 0440, uid: '10', gid: '20'}]",
			rest:    "configs: {app: {file: ./app.toml}, inline: {content: hello}}",
			spec:    "files: [{path: /app, configMapKeyRef: {name: app, key: app.toml}}, {path: /etc/inline.conf, mode: 288, uid: 10, gid: 20, configMapKeyRef: {name: inline, key: inline}}]",
		},
		"Secrets": {
			reason: "They become Secrets, mounted where Compose would.",
			service: `secrets: [pw, {source: token, target: /etc/token}]
environment: {PASSWORD_FILE: /run/secrets/pw}
command: [--token, /etc/token, --password, /run/secrets/pw]`,
			rest: "secrets: {pw: {file: ./password.txt}, token: {environment: TOKEN}}",
			spec: "{args: [--token, /etc/token, --password, /run/secrets/pw], env: [{name: PASSWORD_FILE, value: /run/secrets/pw}], files: [{path: /run/secrets/pw, secretKeyRef: {name: pw, key: pw}}, {path: /etc/token, secretKeyRef: {name: token, key: token}}]}",
		},
		"SecretsElsewhere": {
			reason:   "What is not here is referred to, and said; a driver of the nodes is refused.",
			service:  "secrets: [{source: ext, target: /e}, {source: gone, target: /g}, {source: driven, target: /d}]",
			rest:     "secrets: {ext: {external: true, name: prod_pw}, gone: {file: ./nowhere.txt}, driven: {driver: vault, file: ./password.txt}}",
			spec:     "files: [{path: /e, secretKeyRef: {name: prod-pw, key: ext}}, {path: /g, secretKeyRef: {name: gone, key: gone}}]",
			findings: []string{"lost services.web.secrets[2]", "note secrets.ext", "lost secrets.gone", "refused secrets.driven.driver"},
		},
		"User": {
			reason:  "Numbers are what every image agrees on.",
			service: "user: '1000:1000'\nread_only: true\ninit: true\ncap_drop: [ALL]\ncap_add: [CAP_NET_BIND_SERVICE, chown]",
			spec:    "security: {runAsUser: 1000, runAsGroup: 1000, readOnlyRootFilesystem: true, init: true, capabilities: {drop: [ALL], add: [NET_BIND_SERVICE, CHOWN]}}",
		},
		"UserByName": {
			reason:   "A name in an image can stand for root.",
			service:  "user: postgres\ncap_add: [SYS_ADMIN]\ncap_drop: [CHOWN, SYS_TIME]\nsecurity_opt: ['no-new-privileges:true', 'seccomp:unconfined']",
			spec:     "security: {capabilities: {drop: [CHOWN, NET_RAW]}}",
			findings: []string{"lost services.web.user", "refused services.web.cap_add[0]", "note services.web.cap_drop[1]", "changed services.web.cap_drop", "note services.web.security_opt[0]", "refused services.web.security_opt[1]"},
		},
		"Ulimits": {
			reason:   "Open files only, and not without end.",
			service:  "ulimits: {nofile: {soft: 1024, hard: 1048576}, memlock: -1}",
			spec:     "ulimits: [{name: nofile, soft: 1024, hard: 65536}]",
			findings: []string{"refused services.web.ulimits.memlock", "changed services.web.ulimits.nofile.hard"},
		},
		"Sysctls": {
			reason:   "Those that are a container's own.",
			service:  "sysctls: {net.ipv4.tcp_keepalive_time: 60, net.core.somaxconn: 1024}",
			spec:     "sysctls: {net.ipv4.tcp_keepalive_time: '60'}",
			findings: []string{"refused services.web.sysctls.net.core.somaxconn"},
		},
		"Resolver": {
			reason:   "Names are resolved by the network of the namespace.",
			service:  "dns: [1.1.1.1]\ndns_search: example.com\nextra_hosts: ['a.example:10.0.0.1', 'host.docker.internal:host-gateway']",
			findings: []string{"refused services.web.extra_hosts", "refused services.web.extra_hosts", "refused services.web.dns", "refused services.web.dns_search"},
		},
		"Dependencies": {
			reason:   "Ready is what both conditions come to; nothing waits for an end.",
			service:  "depends_on: {db: {condition: service_healthy}, cache: {condition: service_started, restart: true}, init: {condition: service_completed_successfully}}",
			others:   "db: {image: db, healthcheck: {test: [CMD, ok]}}\ncache: {image: cache}\ninit: {image: init}",
			spec:     "dependsOn: [{name: cache}, {name: db}]",
			findings: []string{"changed services.init.restart", "lost services.web.depends_on.cache.restart", "lost services.web.depends_on.init.condition"},
		},
		"Links": {
			reason:   "A link is a dependency, and another name for the other.",
			service:  "links: ['db:database', cache]\nexternal_links: [old]",
			others:   "db: {image: db}\ncache: {image: cache}",
			spec:     "dependsOn: [{name: cache}, {name: db}]",
			findings: []string{"changed services.web.links[0]", "lost services.web.external_links"},
		},
		"Names": {
			reason:   "Aliases and container_name are further names; DNS labels only.",
			service:  "container_name: shop-front\nnetworks: {default: {aliases: [www, web_1, db]}}",
			others:   "db: {image: db}",
			spec:     "dnsAliases: [shop-front, www]",
			findings: []string{"lost services.web.networks.default.aliases[1]", "lost services.web.networks.default.aliases[2]"},
		},
		"Networks": {
			reason:   "A namespace has one, so several keep nobody apart any more.",
			service:  "networks: {front: {ipv4_address: 10.5.0.5}, back: {}}",
			rest:     "networks: {front: {ipam: {config: [{subnet: 10.5.0.0/16}]}}, back: {internal: true}}",
			findings: []string{"lost services.web.networks.front.ipv4_address", "lost networks.back", "lost networks.back.internal", "lost networks.front", "lost networks.front.ipam"},
		},
		"NetworkModes": {
			reason:   "No container is in the network of a node.",
			service:  "network_mode: host",
			findings: []string{"refused services.web.network_mode"},
		},
		"Unsupported": {
			reason:   "Each is reported on a line of its own.",
			service:  "privileged: true\ndevices: ['/dev/fuse']\nipc: host\npid: host\nuserns_mode: host\ngroup_add: [docker]\nshm_size: 1g\ntty: true\nstdin_open: true\ncpu_shares: 100\ndomainname: x\ngpus: all\nruntime: nvidia\npost_start: [{command: [x]}]\ndevelop: {watch: [{path: ., action: rebuild}]}",
			findings: []string{"lost services.web.cpu_shares", "refused services.web.devices", "lost services.web.domainname", "refused services.web.gpus", "refused services.web.group_add", "refused services.web.ipc", "refused services.web.pid", "refused services.web.privileged", "refused services.web.runtime", "lost services.web.shm_size", "lost services.web.tty", "lost services.web.stdin_open", "lost services.web.post_start", "lost services.web.develop", "refused services.web.userns_mode"},
		},
	} {
		t.Run(name, m.run)
	}
}
