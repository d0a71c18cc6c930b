"""TLS between processes and for clients, and where a cluster on Ray goes."""

OPTIONS = """
security.ssl.internal.enabled
    boolean = false ; honoured
    Whether JobManager, TaskManagers and workers encrypt what they say to each other.
security.ssl.internal.keystore
    string = ; honoured
    The PEM file with a process's own certificate and key.
security.ssl.internal.truststore
    string = ; honoured
    The PEM file with the certificates of those who may connect.
security.ssl.internal.key-password
    string = ; honoured
    The password of the key.
security.ssl.rest.enabled
    boolean = false ; honoured
    Whether the REST interface answers to https.
security.ssl.rest.keystore
    string = ; honoured
    The PEM file with the certificate and key of the REST interface.
security.ssl.rest.truststore
    string = ; honoured
    The PEM file with the certificates that clients, and the REST interface, trust.
security.ssl.rest.key-password
    string = ; honoured
    The password of that key.
security.ssl.rest.authentication-enabled
    boolean = false ; honoured
    Whether the REST interface asks clients for a certificate.
security.ssl.keystore
    string = ; honoured
    The keystore for both, where they name none.
security.ssl.truststore
    string = ; honoured
    The truststore for both, where they name none.
security.ssl.key-password
    string = ; honoured
    The password of the key for both.
ray.namespace
    string = penstock ; honoured
    The namespace of a cluster's actors; each cluster on Ray has its own.
ray.placement-strategy
    string = PACK ; honoured
    Whether TaskManagers go to few nodes or many: PACK, SPREAD, STRICT_PACK or STRICT_SPREAD.
ray.taskmanager.cpus
    double = ; honoured
    The processors that a TaskManager wants of its node; as many as it has slots, unless set.
ray.taskmanager.resources
    map = ; honoured
    Other resources that a TaskManager wants of its node.
ray.jobmanager.cpus
    double = 0 ; honoured
    The processors that the JobManager wants of its node.
ray.jobmanager.resources
    map = ; honoured
    Other resources that the JobManager wants of its node.
"""
