#!/usr/bin/env bash
# From nothing to a container that answers, and back.
#
#   hack/quickstart.sh up      run again, it changes nothing
#   hack/quickstart.sh down    removes what up has made, and nothing else
#
# LISTEN (127.0.0.1:6443) is where the API listens and PORT (8080) where the sample answers.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$ROOT/hack/engine.sh"

STATE=$BUILD/quickstart
DATA=$STATE/data
LISTEN=${LISTEN:-127.0.0.1:6443}
PORT=${PORT:-8080}
IMAGE=localhost/hello
export KUBECONFIG=$STATE/kubeconfig

kubectl_() { "$ROOT/bin/dogker" kubectl "$@"; }
api_ready() { kubectl_ --request-timeout=2s get --raw /readyz >/dev/null 2>&1; }
answers() { curl --silent --fail --max-time 2 "http://127.0.0.1:$PORT/" >/dev/null; }
port_taken() { (exec 3<>"/dev/tcp/${1%:*}/${1##*:}") 2>/dev/null; }

up() {
	"$ROOT/hack/setup.sh" build engine
	use_go
	mkdir -p "$STATE"

	engine_up
	say "Building dogker (the first time takes some minutes: Kubernetes' API server is in it)"
	"$ROOT/hack/build.sh"
	build_images
	server_up
	sample_up
	next
}

# build_images builds the three versions of the sample. An image that was built from the same program stays.
build_images() {
	local dir=$STATE/image sum version broken
	mkdir -p "$dir"
	(cd "$ROOT" && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$dir/hello" ./examples/hello)
	cp "$ROOT/examples/hello/Dockerfile" "$dir/"
	sum=$(cat "$dir/hello" "$dir/Dockerfile" | sha256sum | cut -c 1-32)

	for version in 1 2 3; do
		if [ "$(docker_ image inspect --format '{{index .Config.Labels "io.dogker.sample"}}' "$IMAGE:$version" 2>/dev/null)" = "$sum" ]; then continue; fi
		say "Building image $IMAGE:$version"
		broken=false
		if [ "$version" = 3 ]; then broken=true; fi
		build_image --quiet --label "io.dogker.sample=$sum" --build-arg "VERSION=$version" --build-arg "BROKEN=$broken" \
			--tag "$IMAGE:$version" "$dir"
	done
}

# build_image uses the builder that the docker command has. Where its new one is not installed, the old one does.
build_image() {
	local out
	if out=$(docker_ build "$@" 2>&1); then return; fi
	if out=$(DOCKER_BUILDKIT=0 docker_ build "$@" 2>&1); then return; fi
	die "build sample image: $out"
}

server_up() {
	if alive "$STATE/server.pid" dogker && [ "$(server_binary)" != "$ROOT/bin/dogker" ]; then
		say "Restarting the server, because it has been built anew"
		stop_process "$STATE/server.pid" dogker 20
	fi

	if ! alive "$STATE/server.pid" dogker; then
		if port_taken "$LISTEN"; then die "something else listens on $LISTEN: say LISTEN=127.0.0.1:PORT make quickstart"; fi
		note_swarm
		start_server
	fi

	if ! wait_until 60 server_settled || ! api_ready; then
		tail -n 5 "$STATE/server.log" >&2
		die "the server is not ready: see $STATE/server.log"
	fi
}

# server_binary is what the server runs; a file that has been replaced since has another name.
server_binary() {
	local run=()
	if [ -e "$STATE/as-root" ]; then run=(as_root); fi
	"${run[@]}" readlink "/proc/$(cat "$STATE/server.pid")/exe"
}

# note_swarm notes that there was no swarm, so that the one that is made is removed again.
note_swarm() {
	if [ "$(docker_ info --format '{{.Swarm.LocalNodeState}}')" = inactive ]; then touch "$STATE/made-swarm"; fi
}

# start_server runs the server as whoever the engine answers.
start_server() {
	say "Starting the server on $LISTEN"
	local run=()
	if [ -e "$STATE/as-root" ]; then run=(as_root env); fi
	"${run[@]}" sh -c 'setsid "$@" >>"$0.log" 2>&1 </dev/null 9>&- & echo $! >"$0.pid"' "$STATE/server" \
		env ${DOCKER_HOST:+"DOCKER_HOST=$DOCKER_HOST"} "$ROOT/bin/dogker" server \
		--data-dir "$DATA" --listen "$LISTEN" --init-swarm
	wait_until 5 alive "$STATE/server.pid" dogker || true
}

# server_settled is true when the server is ready, or dead.
server_settled() {
	if gone "$STATE/server.pid" dogker; then return 0; fi
	share_kubeconfig && api_ready
}

# share_kubeconfig gives the present user a copy of the kubeconfig, which may belong to root.
share_kubeconfig() {
	local from=$DATA/admin.kubeconfig
	if [ -r "$from" ]; then
		cmp -s "$from" "$KUBECONFIG" || install -m 600 "$from" "$KUBECONFIG"
	elif as_root test -s "$from"; then
		as_root install -m 600 -o "$(id -u)" -g "$(id -g)" "$from" "$KUBECONFIG"
	else
		return 1
	fi
}

# sample_up applies the sample unless it is there: whoever has changed it keeps the change.
sample_up() {
	if ! kubectl_ get --namespace demo tenantcontainer hello >/dev/null 2>&1; then
		if port_taken "127.0.0.1:$PORT"; then die "something else listens on port $PORT: say PORT=9090 make quickstart"; fi
		say "Applying manifests/samples/hello.yaml"
		sed "s/port: 8080}/port: $PORT}/" "$ROOT/manifests/samples/hello.yaml" >"$STATE/hello.yaml"
		kubectl_ apply --filename "$STATE/hello.yaml" >/dev/null
	fi

	# Whoever has tried the broken version is left with the one before it, which serves.
	if kubectl_ wait --namespace demo --for=condition=RolledBack --timeout=1s tenantcontainer/hello >/dev/null 2>&1; then
		say "The sample's last rollout was put back: dogker rollout history hello -n demo"
		wait_until 20 answers || die "the sample does not answer on port $PORT"
		return
	fi

	say "Waiting for it to be ready"
	if ! kubectl_ wait --namespace demo --for=condition=Ready --timeout=120s tenantcontainer/hello >/dev/null 2>&1; then
		kubectl_ get --namespace demo tenantcontainers --output wide >&2
		die "the sample is not ready; the last column says why"
	fi
	wait_until 20 answers || die "the sample is ready and does not answer on port $PORT"
}

next() {
	cat >"$STATE/env" <<-END
		export PATH="$ROOT/bin:\$PATH" KUBECONFIG="$KUBECONFIG" DOGKER_DATA_DIR="$DATA" ${DOCKER_HOST:+DOCKER_HOST="$DOCKER_HOST"}
		command -v kubectl >/dev/null || kubectl() { dogker kubectl "\$@"; }
	END

	cat <<-END

		$(kubectl_ get --namespace demo tenantcontainers)

		\$ curl localhost:$PORT
		$(curl --silent "http://127.0.0.1:$PORT/")

		It runs. Type next:

		  . .build/quickstart/env                                   # kubectl and dogker, pointed at it
		  kubectl get tc -A -w &                                    # watch what follows
		  kubectl patch tc hello -n demo --type merge -p '{"spec":{"image":"localhost/hello:2"}}'
		  dogker rollout status hello -n demo && curl localhost:$PORT
		  kubectl patch tc hello -n demo --type merge -p '{"spec":{"image":"localhost/hello:3"}}'   # broken: rolled back
		  dogker rollout history hello -n demo
		  dogker rollout undo hello -n demo
		  docker service rm demo_hello                              # put back within a second
		  make quickstart-down                                      # remove all of it

	END
}

down() {
	if [ ! -d "$STATE" ]; then
		say "There is no quickstart to remove"
		return
	fi

	if find_engine; then
		if alive "$STATE/server.pid" dogker && api_ready; then
			say "Deleting namespace demo"
			kubectl_ delete namespace demo --ignore-not-found --timeout=90s >/dev/null || say "it is not gone yet; going on"
		fi
		stop_server
		remove_from_engine
	else
		stop_server
	fi

	engine_down
	as_root rm -rf "$STATE"
	say "Done. Installed packages and bin/ are kept"
}

stop_server() {
	if alive "$STATE/server.pid" dogker; then say "Stopping the server"; fi
	stop_process "$STATE/server.pid" dogker 20
}

# remove_from_engine removes our images, and the swarm when we have made it and nobody else has put anything in.
remove_from_engine() {
	local version
	for version in 1 2 3; do docker_ image rm "$IMAGE:$version" >/dev/null 2>&1 || true; done

	[ -e "$STATE/made-swarm" ] || return 0
	if [ -n "$(docker_ service ls --quiet 2>/dev/null)" ]; then
		say "The swarm stays, because services are left in it: docker service ls"
		return
	fi
	docker_ swarm leave --force >/dev/null 2>&1 || true
}

mkdir -p "$BUILD"
exec 9>"$BUILD/quickstart.lock"
flock --nonblock 9 || die "another make quickstart is under way"

case ${1:-} in
up) up ;;
down) down ;;
*) die "say up or down" ;;
esac
