#!/usr/bin/env bash
# Plays prepaid billing on a private engine, in about two and a half minutes: prices, a plan and a tenant; what nobody has
# paid for is refused; a payment; containers run, are metered, warned about, drained and suspended; another payment, and
# they run again as they were. Prices are such that a minute costs 10,000 rupiah. Midtrans is a fake, and nobody pays.
#
#   hack/demo-billing.sh         play
#   hack/demo-billing.sh keep    play, and leave everything up to be looked at until Enter is pressed
#
# The engine is one of internal/lab: it has a network of its own and sees no other engine, and nobody sees it. Everything is
# removed at the end, also after a failure; then the logs are kept. It needs root, and asks sudo for it.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

STATE=$BUILD/demo-billing
DATA=$STATE/data
LOGS=$BUILD/demo-billing-logs
IMAGE=dogker.test/app:v1 # what engines of a lab hold
KEY=SB-Mid-server-demo-billing
DRAIN=4 # seconds that the sample takes to stop when it is asked to
export KUBECONFIG=$DATA/admin.kubeconfig

# main builds as whoever calls, and plays as root.
main() {
	case ${1:-} in
	"" | keep) build && as_root env PATH="$PATH" "${BASH_SOURCE[0]}" play "${1:-}" ;;
	play) play "${2:-}" ;;
	*) die "say keep, or nothing" ;;
	esac
}

build() {
	"$ROOT/hack/setup.sh" build engine
	use_go
	say "Building dogker (the first time takes some minutes: Kubernetes' API server is in it)"
	"$ROOT/hack/build.sh"
	mkdir -p "$STATE"
	(cd "$ROOT" && go build -o "$STATE/lab" ./internal/lab/cmd/lab)
}

play() {
	exec 9>"$BUILD/demo-billing.lock"
	flock --nonblock 9 || die "another make demo-billing is under way"
	trap clean_up EXIT
	trap 'exit 130' INT TERM
	engine_up
	midtrans_up
	server_up

	local began=$SECONDS
	prices_and_tenant
	refused_without_money
	first_payment
	containers_run
	warned
	suspended
	second_payment
	books
	say "All of it took $((SECONDS - began)) seconds"

	if [ "${1:-}" = keep ]; then
		say "It stays until you press Enter. Elsewhere: export KUBECONFIG=$KUBECONFIG; $ROOT/bin/dogker kubectl get ba -A; $GATEWAY/ has the orders"
		read -r
	fi
	DONE=yes
}

# --- what is needed ------------------------------------------------------------------------------------------------

engine_up() {
	say "Starting a private engine"
	rm -rf "$LOGS" "$DATA"
	mkdir -p "$LOGS"
	eval "$("$STATE/lab" up --dir "$STATE/engine" --owner $$ 9>&-)"
	docker events --filter type=container --filter event=kill --filter event=die \
		--format '{{.Time}} {{.Action}} {{index .Actor.Attributes "com.docker.swarm.service.name"}} {{index .Actor.Attributes "signal"}} {{index .Actor.Attributes "exitCode"}}' \
		>"$LOGS/events" 9>&- &
	echo $! >"$STATE/events.pid"
}

midtrans_up() {
	NOTIFY=127.0.0.1:$(free_port)
	GATEWAY=127.0.0.1:$(free_port)
	"$ROOT/bin/dogker" fake midtrans --listen "$GATEWAY" --server-key "$KEY" --hurry \
		--notify "http://$NOTIFY/midtrans/notification" >"$LOGS/midtrans.log" 2>&1 9>&- &
	echo $! >"$STATE/midtrans.pid"
	GATEWAY=http://$GATEWAY
	wait_until 10 curl --silent --fail --output /dev/null "$GATEWAY/" || die "the fake Midtrans does not answer"
}

server_up() {
	say "Starting the server, with a fake Midtrans at $GATEWAY"
	(umask 077 && printf '%s\n' "$KEY" >"$STATE/server-key")
	"$ROOT/bin/dogker" server --data-dir "$DATA" --listen "127.0.0.1:$(free_port)" \
		--midtrans-server-key-file "$STATE/server-key" --midtrans-webhook-listen "$NOTIFY" \
		--midtrans-base-url "$GATEWAY" --midtrans-snap-url "$GATEWAY" >"$LOGS/server.log" 2>&1 9>&- &
	echo $! >"$STATE/server.pid"
	wait_until 5 alive "$STATE/server.pid" dogker || true
	wait_until 60 ready_or_dead || true
	api_ready || die "the server is not ready: $(tail -n 3 "$LOGS/server.log")"
}

dogker() { "$ROOT/bin/dogker" --data-dir "$DATA" "$@"; }
kubectl() { dogker kubectl "$@"; }
api_ready() { kubectl --request-timeout=2s get --raw /readyz >/dev/null 2>&1; }
ready_or_dead() { gone "$STATE/server.pid" dogker || api_ready; }

# free_port is one of loopback on which nobody listens.
free_port() {
	local port
	for port in $(shuf -i 20000-29999 -n 50); do
		if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
			echo "$port"
			return
		fi
	done
	die "no port of 127.0.0.1 is free"
}

# clean_up removes everything, and keeps the logs of a play that did not come to its end.
clean_up() {
	local rc=$?
	set +e
	if [ "${DONE:-}" != yes ]; then diagnose >"$LOGS/objects" 2>&1; fi
	stop_process "$STATE/server.pid" dogker 20
	stop_process "$STATE/midtrans.pid" dogker 5
	stop_process "$STATE/events.pid" docker 5
	"$STATE/lab" down --dir "$STATE/engine" || rc=1
	rm -rf "$STATE"
	if [ "${DONE:-}" = yes ]; then
		rm -rf "$LOGS"
	else
		say "The logs are kept in $LOGS"
		[ "$rc" -ne 0 ] || rc=1
	fi
	exit "$rc"
}

diagnose() {
	kubectl get tenants,pricelists,plans,coupons --output yaml
	kubectl get --namespace demo billingaccounts,topups,tenantcontainers,events --output yaml
	docker service ls
}

# --- the story -----------------------------------------------------------------------------------------------------

chapter() { printf '\n\033[1m%s\033[0m\n\n' "$*"; }

# shown prints a command, and what it prints.
shown() {
	printf '$ %s\n' "$*"
	"$@"
	echo
}

# within SECONDS WHAT COMMAND… waits until the command succeeds, or ends the play.
within() {
	local seconds=$1 what=$2
	shift 2
	wait_until "$seconds" "$@" || die "not within $seconds seconds: $what"
}

# is KIND/NAME PATH VALUE compares a field of an object in the tenant's namespace.
is() { [ "$(kubectl get "$1" --namespace demo --output "jsonpath={$2}" 2>/dev/null)" = "$3" ]; }
spec() { kubectl get tenantcontainer/web --namespace demo --output 'jsonpath={.metadata.uid} {.metadata.generation} {.spec}'; }

prices_and_tenant() {
	chapter "1. The platform says what things cost, and lets a tenant in"
	kubectl apply --filename - <<-END
		apiVersion: billing.dogker.io/v1alpha1
		kind: PriceList
		metadata: {name: fast}
		spec: {prices: {cpu: "1000000", memory: "1600000"}}
		---
		apiVersion: dogker.io/v1alpha1
		kind: Plan
		metadata: {name: fast}
		spec:
		  priceListName: fast
		  billing: {minRunwaySeconds: 60, gracePeriodSeconds: 0}
		  securityProfile: privileged # the sample's image is in no registry
		  quota: {containers: 5, replicas: 10}
		---
		apiVersion: dogker.io/v1alpha1
		kind: Tenant
		metadata: {name: demo}
		spec: {planName: fast, deletionPolicy: Delete}
	END
	kubectl wait --for=condition=Ready --timeout=30s tenant/demo >/dev/null
	within 20 "the tenant has an account" is billingaccount/default .metadata.name default
	kubectl patch billingaccount default --namespace demo --type merge --patch '{"spec": {"warnings": {"runways": ["1m"]}}}' >/dev/null
	shown kubectl get pricelists
}

# manifest is two replicas that cost 300,000 rupiah an hour each, and take their time to stop.
manifest() {
	cat <<-END
		apiVersion: dogker.io/v1alpha1
		kind: TenantContainer
		metadata: {name: web, namespace: demo}
		spec:
		  image: $IMAGE
		  imagePullPolicy: Never
		  replicas: 2
		  resources: {requests: {cpu: 100m, memory: 128Mi}}
		  env: [{name: APP_DRAIN, value: ${DRAIN}s}]
		  terminationGracePeriodSeconds: 15
	END
}

refused_without_money() {
	chapter "2. What nobody has paid for is refused, and the refusal says how much is missing"
	manifest >"$STATE/web.yaml"
	echo "$ kubectl apply -f web.yaml"
	if kubectl apply --filename "$STATE/web.yaml" >"$STATE/answer" 2>&1; then die "it was accepted"; fi
	cat "$STATE/answer"
	grep -q InsufficientBalance "$STATE/answer" || die "it was refused for another reason"
}

# pay AMOUNT NAME tops up as a person does: a TopUp, its page, a button.
pay() {
	kubectl create --filename - <<-END
		apiVersion: billing.dogker.io/v1alpha1
		kind: TopUp
		metadata: {name: $2, namespace: demo}
		spec: {amount: "$1"}
	END
	within 20 "there is a page to pay on" is "topup/$2" .status.phase AwaitingPayment
	shown kubectl get topup "$2" --namespace demo
	local page
	page=$(kubectl get "topup/$2" --namespace demo --output 'jsonpath={.status.redirectURL}')
	shown curl --silent --show-error --fail --output /dev/null --data "button=pay&method=gopay" "$page"
	within 30 "the payment is credited" is "topup/$2" .status.phase Credited
}

first_payment() {
	chapter "3. The tenant tops up: 10,500 rupiah, enough for 63 seconds of what it wants to run"
	pay 10500 first
	shown kubectl get billingaccounts --all-namespaces
}

containers_run() {
	chapter "4. Two containers run"
	# What starts in the last seconds of a minute would cost next to nothing in it, and be warned of a minute later.
	while [ "$(date +%-S)" -gt 54 ]; do sleep 0.5; done
	kubectl apply --filename "$STATE/web.yaml"
	kubectl wait --namespace demo --for=condition=Ready --timeout=60s tenantcontainer/web >/dev/null
	BEFORE=$(spec)
	shown kubectl get tenantcontainers --namespace demo
	shown kubectl get billingaccounts --all-namespaces
}

warned() {
	chapter "5. The first minute is charged, half a minute after its end, and the tenant is warned"
	within 170 "the account is Low" is billingaccount/default .status.phase Low
	shown kubectl get billingaccounts --all-namespaces
}

suspended() {
	chapter "6. The second minute takes what is left: the containers are asked to stop, and given the time to"
	within 100 "the account is Suspended" is billingaccount/default .status.phase Suspended
	shown kubectl get billingaccounts --all-namespaces
	within 30 "nothing runs" drained
	echo "What the engine saw (15 is SIGTERM, and 0 is how who was not killed ends):"
	local at what service number
	while read -r at what service number; do printf '  %(%H:%M:%S)T  %s  %-4s %s\n' "$at" "$service" "$what" "$number"; done <"$LOGS/events"
	echo
	graceful || die "a container did not get its $DRAIN seconds"
	shown kubectl get tenant demo --output 'jsonpath={.metadata.annotations.billing\.dogker\.io/suspend}{"\n"}'
	shown kubectl get tenantcontainers --namespace demo
	[ "$(spec)" = "$BEFORE" ] || die "the suspension has changed the container's spec"
}

drained() { [ -z "$(docker ps --quiet)" ] && [ "$(grep -c ' die demo_web ' "$LOGS/events")" -eq 2 ]; }

# graceful is true when both containers got SIGTERM, took their time, and were not killed.
graceful() {
	awk -v drain="$DRAIN" '
		$2 == "kill" && $4 == 15 { asked[++n] = $1 }
		$2 == "kill" && $4 == 9 { killed = 1 }
		$2 == "die" && $NF == 0 { ended[++m] = $1 }
		END { exit !(n == 2 && m == 2 && !killed && ended[1] - asked[1] >= drain - 1 && ended[2] - asked[2] >= drain - 1) }' "$LOGS/events"
}

second_payment() {
	chapter "7. The tenant pays, and everything runs again as it was declared"
	pay 60000 second
	within 20 "the account runs" runs
	kubectl wait --namespace demo --for=condition=Ready --timeout=60s tenantcontainer/web >/dev/null
	shown kubectl get tenantcontainers --namespace demo
	shown kubectl get billingaccounts --all-namespaces
	[ "$(spec)" = "$BEFORE" ] || die "the container's spec is not what it was"
	is tenantcontainer/web .status.readyReplicas 2 || die "two replicas should run"
}

runs() { is billingaccount/default .status.phase Active || is billingaccount/default .status.phase Low; }

books() {
	chapter "8. What the books say"
	shown dogker ledger show --namespace demo
	shown dogker ledger verify --namespace demo
}

main "$@"
