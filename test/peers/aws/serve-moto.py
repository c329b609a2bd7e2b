"""moto's server, and two things that make it as fast with a thousand load balancers as with one.

    python serve-moto.py -H HOST -p PORT
"""

from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix
from moto.server import main
from werkzeug.serving import WSGIRequestHandler


def tags_of_one(resource):
    """moto looks through the tags of everything for those of one resource, for each resource that it describes."""
    identifier = resource.id or ""
    return [
        {
            "resource_id": identifier,
            "key": key,
            "value": value,
            "resource_type": EC2_PREFIX_TO_RESOURCE.get(get_prefix(identifier), ""),
        }
        for key, value in list(resource.ec2_backend.tags.get(identifier, {}).items())
    ]


TaggedEC2Resource.get_tags = tags_of_one
# Connections are kept: one each, with a thread of its own, would cost more than most calls.
WSGIRequestHandler.protocol_version = "HTTP/1.1"
# A line for each request is of no use to anybody.
WSGIRequestHandler.log_request = lambda *_arguments: None

main()
