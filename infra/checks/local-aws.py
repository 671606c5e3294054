"""AWS on this machine: moto's server on 127.0.0.1, with what Terraform asks and moto does not answer. Argument: the port."""
import json
import sys

from botocore import xform_name
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.cloudtrail.models import CloudTrailBackend
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.rds.models import DBParameterGroup
from moto.rds.responses import RDSResponse
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


# What follows is told when a thing is made, and forgotten by moto: a second plan would want to tell it again.


def keeping(method, thing, settings):
    """The answer's thing with these settings as the request gave them, each under the name that answers have for it."""

    def call(self):
        answer = method(self)
        made = answer.result[thing]
        for setting, shown in settings.items():
            told = self._get_param(setting)
            if told is not None:
                setattr(made, xform_name(shown), told)
        if self._get_param("capacityProviderStrategy"):
            made.launch_type = None
        return answer

    return call


EC2ContainerServiceResponse.create_service = keeping(
    EC2ContainerServiceResponse.create_service,
    "service",
    {
        "availabilityZoneRebalancing": "availabilityZoneRebalancing",
        "capacityProviderStrategy": "capacityProviderStrategy",
        "enableECSManagedTags": "enableECSManagedTags",
        "healthCheckGracePeriodSeconds": "healthCheckGracePeriodSeconds",
    },
)
RDSResponse.create_db_instance = keeping(
    RDSResponse.create_db_instance,
    "DBInstance",
    {
        "EnablePerformanceInsights": "PerformanceInsightsEnabled",
        "MonitoringInterval": "MonitoringInterval",
        "MonitoringRoleArn": "MonitoringRoleArn",
        "PerformanceInsightsKMSKeyId": "PerformanceInsightsKMSKeyId",
    },
)
SecurityGroupRule.description = property(
    lambda rule: (rule.ip_range or rule.source_group).get("Description")
)


def update_parameters(self, parameters):
    for parameter in parameters:
        self.parameters[parameter["ParameterName"]].update(parameter, Source="user")


DBParameterGroup.update_parameters = update_parameters

main(["-H", "127.0.0.1", "-p", sys.argv[1]])
