"""AWS on this machine: moto's server on 127.0.0.1, with what Terraform asks and moto does not answer. Argument: the port."""
import json
import sys

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.cloudtrail.models import CloudTrailBackend
from moto.server import main


def list_tags(_self):
    return json.dumps({"Tags": {}})


ApplicationAutoScalingResponse.list_tags_for_resource = list_tags


def taking_arns(method):
    """Terraform names a trail by its ARN, moto by its name."""

    def call(self, name, *args, **kwargs):
        return method(self, name.rsplit("/", 1)[-1], *args, **kwargs)

    return call


for verb in ("start_logging", "stop_logging", "get_trail_status", "delete_trail"):
    setattr(CloudTrailBackend, verb, taking_arns(getattr(CloudTrailBackend, verb)))

main(["-H", "127.0.0.1", "-p", sys.argv[1]])
