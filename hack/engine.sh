# The engine of the quickstart: the one that is there, or one that it starts and later removes. Source it after lib.sh.
# shellcheck shell=bash

ENGINE=$BUILD/quickstart/engine # what we know of an engine that we have started
ENGINE_RUN=/run/dogker-quickstart
ENGINE_CGROUP=dogker-quickstart

# docker_ is the docker command as whoever the engine answers.
docker_() {
	if [ -e "$BUILD/quickstart/as-root" ] && [ "$(id -u)" -ne 0 ]; then
		as_root env ${DOCKER_HOST:+"DOCKER_HOST=$DOCKER_HOST"} docker "$@"
	else
		docker "$@"
	fi
}

# find_engine is true when an engine answers. It notes whether it answers root alone.
find_engine() {
	if [ -e "$ENGINE/pid" ]; then export DOCKER_HOST=unix://$ENGINE_RUN/docker.sock; fi

	rm -f "$BUILD/quickstart/as-root"
	if engine_answers; then return 0; fi
	[ "$(id -u)" -ne 0 ] || return 1

	touch "$BUILD/quickstart/as-root"
	docker_ version >/dev/null 2>&1 && return 0
	rm -f "$BUILD/quickstart/as-root"

	return 1
}

engine_up() {
	case ${DOCKER_HOST:-unix://} in
	unix://*) ;;
	*) die "the quickstart needs an engine on this machine, and DOCKER_HOST is $DOCKER_HOST: unset it" ;;
	esac

	if find_engine; then
		say "Using the engine that answers ($(docker_ version --format '{{.Server.Version}}'))"
		return
	fi

	if has_init && systemctl cat docker.service >/dev/null 2>&1; then
		say "Starting docker.service"
		touch "$BUILD/quickstart/started-service"
		as_root systemctl start docker.service
		wait_until 30 find_engine || die "the engine does not answer: see journalctl -u docker.service"

		return
	fi

	own_engine_up
}

# own_engine_up starts an engine of our own, apart from any other: own data, own socket, own cgroup. What it will add to
# the machine's network is noted first, so that no more than that is removed later.
own_engine_up() {
	say "Starting an engine of our own, because no init system starts one"
	mkdir -p "$ENGINE"
	[ -e "$ENGINE/interfaces" ] || interfaces >"$ENGINE/interfaces"
	[ -e "$ENGINE/firewall" ] || as_root iptables-save >"$ENGINE/firewall" 2>/dev/null || true
	cat /proc/sys/net/ipv4/ip_forward >"$ENGINE/ip_forward"

	as_root mkdir -p "$ENGINE_RUN"
	as_root sh -c 'setsid "$@" >"$0.log" 2>&1 </dev/null 9>&- & echo $! >"$0.pid"' "$ENGINE/dockerd" \
		dockerd \
		--host "unix://$ENGINE_RUN/docker.sock" --group "$(id -gn)" --pidfile "$ENGINE_RUN/docker.pid" \
		--data-root "$ENGINE/data" --exec-root "$ENGINE_RUN/exec" --cgroup-parent "/$ENGINE_CGROUP"
	mv "$ENGINE/dockerd.pid" "$ENGINE/pid"
	wait_until 5 alive "$ENGINE/pid" dockerd || true

	export DOCKER_HOST=unix://$ENGINE_RUN/docker.sock
	wait_until 60 engine_starting || true
	if ! find_engine; then
		tail -n 5 "$ENGINE/dockerd.log" >&2
		die "the engine does not start: see $ENGINE/dockerd.log"
	fi
}

# engine_starting is true when there is no point in waiting any longer: it answers, or it is dead.
engine_starting() { find_engine || gone "$ENGINE/pid" dockerd; }

# engine_down leaves an engine that was there as it was.
engine_down() {
	if [ -d "$ENGINE" ]; then own_engine_down; fi

	if [ -e "$BUILD/quickstart/started-service" ]; then
		say "Stopping docker.service, which the quickstart had started"
		as_root systemctl stop docker.socket docker.service 2>/dev/null || as_root systemctl stop docker.service
	fi
}

own_engine_down() {
	say "Removing our own engine"
	stop_process "$ENGINE/pid" dockerd 30

	local path
	while read -r path; do
		as_root umount "$path" || true
	done < <(cut -d ' ' -f 5 /proc/self/mountinfo | grep -e "^$ENGINE_RUN/" -e "^$ENGINE/" | sort -r)
	as_root rm -rf "$ENGINE_RUN"
	for path in /sys/fs/cgroup/"$ENGINE_CGROUP" /sys/fs/cgroup/*/"$ENGINE_CGROUP"; do
		if [ -d "$path" ]; then as_root find "$path" -depth -type d -exec rmdir {} + 2>/dev/null || true; fi
	done

	network_back
	as_root rm -rf "$ENGINE"
}

interfaces() { ip -o link | sed 's/^[0-9]*: \([^:@]*\).*/\1/'; }

# network_back removes the interfaces that have come since, the engine's own chains, and what points to them.
network_back() {
	local link
	for link in docker0 docker_gwbridge; do
		if interfaces | grep -qx "$link" && ! grep -qx "$link" "$ENGINE/interfaces"; then as_root ip link delete "$link"; fi
	done

	if [ -e "$ENGINE/firewall" ] && ! grep -q DOCKER "$ENGINE/firewall"; then
		# iptables-restore with the engine's lines taken out keeps what others have changed in the meantime.
		as_root iptables-save | grep -v -e DOCKER -e docker0 -e docker_gwbridge |
			sed "s/^:FORWARD [A-Z]* /:FORWARD $(sed -n 's/^:FORWARD \([A-Z]*\) .*/\1/p' "$ENGINE/firewall" | head -n 1 | grep . || echo ACCEPT) /" |
			as_root iptables-restore
	fi

	as_root sh -c 'cat "$1" >/proc/sys/net/ipv4/ip_forward' sh "$ENGINE/ip_forward"
}
