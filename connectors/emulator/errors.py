"""What the Web API says when it refuses: a status, a code in hexadecimal, and a sentence. A message may quote
what the caller sent, as the real one does; it never quotes a stored value."""

from typing import Any

import msgspec

PAYLOAD = "0x80048d19"
PARSE = "0x80060888"
INVALID_ARGUMENT = "0x80040203"
NOT_FOUND = "0x80040217"
NO_SEGMENT = "0x8006088a"
VERSION_MISMATCH = "0x80060882"
DUPLICATE_RECORD = "0x80040237"
DUPLICATE_KEY_VALUES = "0x80060892"


_FAULT = (
    "System.ServiceModel.FaultException`1[[Microsoft.Xrm.Sdk.OrganizationServiceFault, Microsoft.Xrm.Sdk, Version=9.0.0.0, "
    "Culture=neutral, PublicKeyToken=31bf3856ad364e35]]"
)
_STACK_TRACE = "   at Microsoft.Crm.Extensibility.OrganizationSdkServiceInternal.Execute(OrganizationRequest request)"


class WebApiError(Exception):
    """An answer other than the one requested."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = headers or {}

    def body(self, *, annotated: bool = False, inner: bool = False) -> bytes:
        """Return the JSON document; the ErrorDetails annotations only for clients that requested annotations,
        the inner error from a server on-premises."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if inner:
            error["innererror"] = {"message": self.message, "type": _FAULT, "stacktrace": _STACK_TRACE}
        if annotated:
            error["@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus"] = "0"
            error["@Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode"] = "-2146233088"
            error["@Microsoft.PowerApps.CDS.HelpLink"] = f"http://go.microsoft.com/fwlink/?LinkID=398563&error={self.code}&client=platform"
            error["@Microsoft.PowerApps.CDS.TraceText"] = ""
            error["@Microsoft.PowerApps.CDS.InnerError.Message"] = self.message
        return msgspec.json.encode({"error": error})


def no_such_row(table: str, row_id: str) -> WebApiError:
    return WebApiError(404, NOT_FOUND, f"Entity '{table}' With Id = {row_id} Does Not Exist")


def no_such_key(table: str) -> WebApiError:
    return WebApiError(404, NOT_FOUND, f"A record with the specified key values does not exist in {table} entity")


def no_segment(name: str) -> WebApiError:
    return WebApiError(404, NO_SEGMENT, f"Resource not found for the segment '{name}'.")


def no_resource(url: str) -> WebApiError:
    return WebApiError(404, "", f"No HTTP resource was found that matches the request URI '{url}'.")


def no_property(name: str, type_name: str) -> WebApiError:
    return WebApiError(400, "0x0", f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{type_name}'.")


def bad_query(message: str) -> WebApiError:
    return WebApiError(400, PARSE, message)


def bad_payload(table: str, inner: str) -> WebApiError:
    return WebApiError(
        400,
        PAYLOAD,
        f"Error identified in Payload provided by the user for Entity :'{table}', For more information on this error please follow this "
        f"help link https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : Microsoft.OData.ODataException: {inner}",
    )


def undeclared(table: str, set_name: str, name: str) -> WebApiError:
    if "@" in name:
        return bad_payload(
            set_name,
            f"An undeclared property '{name.partition('@')[0]}' which only has property annotations in the payload but no property value "
            "was found in the payload. In OData, only declared navigation properties and declared named streams can be represented as "
            "properties without values.",
        )
    return bad_payload(
        set_name,
        f"The property '{name}' does not exist on type 'Microsoft.Dynamics.CRM.{table}'. Make sure to only use property names that are "
        "defined by the type.",
    )


def bad_key(type_name: str) -> WebApiError:
    return WebApiError(
        400,
        PARSE,
        f"The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.{type_name}'. Ensure that the names and number of "
        f"key properties match the declared or alternate key properties for the resource 'Microsoft.Dynamics.CRM.{type_name}'.",
    )


def version_mismatch() -> WebApiError:
    return WebApiError(412, VERSION_MISMATCH, "The version of the existing record doesn't match the RowVersion property provided.")


def method_not_allowed(method: str, table: str) -> WebApiError:
    return WebApiError(405, "0x80060888", f"The HTTP method '{method}' is not supported for the resource '{table}'.")


def message_not_supported(message: str, table: str) -> WebApiError:
    return WebApiError(
        405,
        "0x80040800",
        f"The '{message}' method does not support entities of type '{table}'. MessageProcessorCache returned MessageProcessor.Empty.",
    )


def unknown_function(name: str) -> WebApiError:
    return bad_query(
        f"An unknown function with name '{name}' was found. This may also be a function import or a key lookup on a navigation property, "
        "which is not allowed."
    )


def bad_top(value: str) -> WebApiError:
    return bad_query(f"Invalid value '{value}' for $top query option found. The $top query option requires a non-negative integer value.")


def has_children() -> WebApiError:
    return WebApiError(405, "0x80040227", "The object you tried to delete is associated with another object and cannot be deleted.")
