package v1alpha1

// AnnotationHeartbeat is how something outside says that it is alive, to an Alert with absent.of Heartbeat: whenever its value
// changes. What the value is does not matter; a time is of use to people.
const AnnotationHeartbeat = "dogker.io/heartbeat"

// ContainersAlert is the name of the Alert that each tenant has without declaring it: a container is down. It is made when it
// is not there and never changed after that, so that a tenant can; to be rid of it, suspend it.
const ContainersAlert = "containers"
