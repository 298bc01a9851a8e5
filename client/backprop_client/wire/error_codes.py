"""Every error that the service answers with, and every one that a job can fail with: code, kind, meaning, what to do.

docs/errors.md shows these tables. The codes of a kind are also a type, so that the type checker knows a code that is in
no table, or that is raised as another kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "bad_request",
    "unauthenticated",
    "forbidden",
    "not_found",
    "method_not_allowed",
    "too_slow",
    "conflict",
    "precondition_failed",
    "too_large",
    "not_acceptable",
    "unsupported_media_type",
    "invalid_request",
    "too_many",
    "internal",
    "not_implemented",
    "unavailable",
    "failed_job",
]

STATUS_OF: dict[Kind, int] = {
    "bad_request": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "too_slow": 408,
    "conflict": 409,
    "precondition_failed": 412,
    "too_large": 413,
    "unsupported_media_type": 415,
    "invalid_request": 422,
    "too_many": 429,
    "internal": 500,
    "not_implemented": 501,
    "unavailable": 503,
}
"""HTTP's status of each kind. The error of a failed job is no answer, and has none."""

BadRequestCode = Literal[
    "malformed_json",
    "malformed_gzip",
]

UnauthenticatedCode = Literal[
    "key_required",
    "invalid_key",
    "key_revoked",
    "key_expired",
    "sign_in_ended",
]

ForbiddenCode = Literal[
    "scope_read_required",
    "scope_train_required",
    "scope_predict_required",
    "scope_admin_required",
    "form_not_ours",
]

NotFoundCode = Literal[
    "key_not_found",
    "no_such_route",
    "dataset_not_found",
    "network_not_found",
    "job_not_found",
    "model_not_found",
    "prediction_not_found",
    "registered_model_not_found",
    "version_not_found",
    "alias_not_found",
    "webhook_not_found",
    "delivery_not_found",
]

MethodNotAllowedCode = Literal["method_not_allowed",]

TooSlowCode = Literal["body_too_slow",]

ConflictCode = Literal[
    "request_in_progress",
    "dataset_in_use",
    "model_in_use",
    "job_already_ended",
    "job_not_ended",
    "job_diverged",
    "nothing_left_to_train",
    "dataset_deleted",
    "model_deleted",
    "prediction_not_ready",
    "prediction_not_ended",
    "prediction_already_ended",
    "importance_not_measured",
    "onnx_differs",
    "name_taken",
    "registered_model_has_aliases",
    "version_has_aliases",
    "model_is_registered",
]

PreconditionFailedCode = Literal[
    "alias_moved",
    "alias_exists",
]

TooLargeCode = Literal[
    "request_too_large",
    "too_many_values",
    "reading_too_slow",
    "file_needs_too_much_memory",
    "too_many_categories",
    "upload_too_large",
    "too_many_columns",
    "too_many_rows",
    "too_many_cells",
    "too_many_iterations",
    "too_many_parameters",
    "training_too_large",
    "answer_too_large",
    "picture_too_large",
    "export_too_large",
]

NotAcceptableCode = Literal["not_acceptable",]

UnsupportedMediaTypeCode = Literal[
    "json_required",
    "unsupported_coding",
    "media_type_not_taken",
]

InvalidRequestCode = Literal[
    "invalid_request",
    "idempotency_key_reused",
    "multipart_required",
    "malformed_multipart",
    "file_required",
    "duplicate_field",
    "field_too_long",
    "upload_interrupted",
    "empty_file",
    "no_rows",
    "no_columns",
    "not_utf8",
    "not_text",
    "invalid_csv",
    "invalid_json",
    "invalid_parquet",
    "invalid_npz",
    "invalid_arrow",
    "invalid_gzip",
    "unsupported_format",
    "not_rows",
    "ragged_row",
    "row_too_long",
    "nested_value",
    "duplicate_key",
    "mixed_types",
    "unsupported_type",
    "unsupported_array",
    "integer_too_large",
    "infinite_number",
    "datetime_out_of_range",
    "cell_not_of_type",
    "text_too_long",
    "duplicate_column",
    "unknown_column",
    "column_is_input_and_target",
    "no_inputs",
    "targets_required",
    "targets_not_allowed",
    "one_target_only",
    "task_required",
    "text_column",
    "target_is_datetime",
    "target_not_classes",
    "target_not_numeric",
    "too_many_classes",
    "one_class_only",
    "constant_target",
    "missing_values",
    "values_too_large",
    "inputs_leave_output_range",
    "too_few_rows",
    "network_required",
    "output_units",
    "softmax_needs_classes",
    "cost_needs_other_output",
    "sparsity_needs_sigmoid",
    "patience_needs_holdout",
    "stratified_needs_classes",
    "column_is_target",
    "value_not_in_column",
    "unusable_weights",
    "class_weight_needs_classes",
    "unknown_class",
    "duplicate_class",
    "held_out_every_needs_holdout",
    "comparison_needs_holdout",
    "metric_not_comparable",
    "iterations_and_epochs",
    "epsilon_too_small",
    "differs_from_model",
    "column_type_differs",
    "unknown_category",
    "too_few_iterations",
    "invalid_rows",
    "invalid_tensor",
    "unknown_output",
    "prediction_not_finite",
    "dataset_does_not_fit",
    "no_such_unit",
    "tile_width_required",
    "tile_width",
    "gradient_not_finite",
    "not_an_input",
    "dependence_of_reconstruction",
]

TooManyCode = Literal[
    "too_many_requests",
    "too_many_uploads",
    "too_many_queued_jobs",
    "too_many_event_streams",
    "too_many_webhooks",
]

InternalCode = Literal["internal_error",]

NotImplementedCode = Literal["onnx_not_installed",]

UnavailableCode = Literal[
    "database_unavailable",
    "redis_unavailable",
    "storage_full",
    "artifacts_unavailable",
    "reading_interrupted",
]

FailureCode = Literal[
    "diverged",
    "gradient_check_failed",
    "class_missing_in_training",
    "constant_target_in_training",
    "cannot_be_scaled",
    "out_of_memory",
    "scratch_full",
    "worker_lost",
    "internal_error",
]

AnswerCode = (
    BadRequestCode
    | UnauthenticatedCode
    | ForbiddenCode
    | NotFoundCode
    | MethodNotAllowedCode
    | TooSlowCode
    | ConflictCode
    | PreconditionFailedCode
    | TooLargeCode
    | NotAcceptableCode
    | UnsupportedMediaTypeCode
    | InvalidRequestCode
    | TooManyCode
    | InternalCode
    | NotImplementedCode
    | UnavailableCode
)
"""The code of an error that a request is answered with."""


@dataclass(frozen=True)
class ErrorCode:
    """One error.

    Attributes:
        code: its stable name.
        kind: what sort of error it is. It decides HTTP's status.
        meaning: what has happened.
        remedy: what to do about it.
    """

    code: AnswerCode | FailureCode
    kind: Kind
    meaning: str
    remedy: str


@dataclass(frozen=True)
class Group:
    """Errors that come up in one place.

    Attributes:
        title: the place.
        errors: in the order in which they are shown.
    """

    title: str
    errors: tuple[ErrorCode, ...]


GROUPS: tuple[Group, ...] = (
    Group(
        "Any request",
        (
            ErrorCode(
                "malformed_json",
                "bad_request",
                "The body is not JSON, nests too deep, or has a number of thousands of digits.",
                "Send valid JSON.",
            ),
            ErrorCode(
                "malformed_gzip",
                "bad_request",
                "The body is not in the coding that it is said to be in (gzip or deflate), or ends too early.",
                "Compress again.",
            ),
            ErrorCode(
                "key_required",
                "unauthenticated",
                "No `Authorization: Bearer …`, and this server asks for a key.",
                "Send the header `Authorization: Bearer …` with a key of your project.",
            ),
            ErrorCode(
                "invalid_key",
                "unauthenticated",
                "No such key, or no key at all in the header.",
                "Compare the key with the one that `backprop keys create` printed.",
            ),
            ErrorCode("key_revoked", "unauthenticated", "The key has been revoked.", "Ask for a new key."),
            ErrorCode("key_expired", "unauthenticated", "The key has expired.", "Ask for a new key."),
            ErrorCode(
                "key_not_found",
                "not_found",
                "The project has no key of that id.",
                "Look the id up at `/keys`, or with `backprop keys list`.",
            ),
            ErrorCode(
                "sign_in_ended",
                "unauthenticated",
                "The cookie of the pages is of no sign-in, or of one that is over.",
                "Sign in again at `/sign-in`.",
            ),
            ErrorCode(
                "scope_read_required",
                "forbidden",
                "The key has not the scope `read`.",
                "Use a key that has it.",
            ),
            ErrorCode(
                "scope_train_required",
                "forbidden",
                "The key has not the scope `train`.",
                "Use a key that has it.",
            ),
            ErrorCode(
                "scope_predict_required",
                "forbidden",
                "The key has not the scope `predict`.",
                "Use a key that has it.",
            ),
            ErrorCode(
                "scope_admin_required",
                "forbidden",
                "The key has not the scope `admin`.",
                "Use a key that has it.",
            ),
            ErrorCode(
                "form_not_ours",
                "forbidden",
                "A request with the cookie of the pages that would change something does not come from one of them.",
                "Load the page again; programs send a key and no cookie.",
            ),
            ErrorCode("no_such_route", "not_found", "Nothing at this address.", "Look the address up at `/docs`."),
            ErrorCode(
                "method_not_allowed",
                "method_not_allowed",
                "Not with this method; `Allow` lists those it takes.",
                "Use one of the methods in `Allow`.",
            ),
            ErrorCode(
                "body_too_slow",
                "too_slow",
                "The body comes too slowly, see `BACKPROP_SLOW_BODY_SECONDS`.",
                "Send the body faster, or raise the setting.",
            ),
            ErrorCode(
                "request_too_large",
                "too_large",
                "The body is larger than `BACKPROP_MAX_REQUEST_BYTES`.",
                "Send less at once, or raise the setting.",
            ),
            ErrorCode(
                "too_many_values",
                "too_large",
                "The body has too many objects and arrays.",
                "Send fewer rows at once.",
            ),
            ErrorCode(
                "json_required",
                "unsupported_media_type",
                "The `Content-Type` is not JSON.",
                "Send `Content-Type: application/json`.",
            ),
            ErrorCode(
                "unsupported_coding",
                "unsupported_media_type",
                "The body comes in another coding than gzip or deflate.",
                "Send it as it is, in gzip or in deflate.",
            ),
            ErrorCode(
                "invalid_request",
                "invalid_request",
                "A field or parameter is missing, unknown, of the wrong type or out of its range.",
                "Mend the places that `errors` names.",
            ),
            ErrorCode(
                "too_many_requests",
                "too_many",
                "This key has made more than `BACKPROP_MAX_REQUESTS_PER_SECOND`.",
                "Wait as long as `Retry-After` says.",
            ),
            ErrorCode(
                "internal_error",
                "internal",
                "A fault of the service; its log has the reason.",
                "Report it, with the time of the request.",
            ),
            ErrorCode(
                "database_unavailable",
                "unavailable",
                "The database cannot be reached right now.",
                "Try again later; nothing has been changed.",
            ),
            ErrorCode(
                "redis_unavailable",
                "unavailable",
                "`/readyz` only: Redis cannot be reached; jobs are accepted all the same.",
                "Nothing: jobs wait in the database until it is back.",
            ),
            ErrorCode("storage_full", "unavailable", "A disk of the server is full.", "Make room, and try again."),
            ErrorCode(
                "artifacts_unavailable",
                "unavailable",
                "The store of the datasets does not answer, or refuses the service; the log has the reason.",
                "Try again later; look into the service's log if it lasts.",
            ),
        ),
    ),
    Group(
        "Repeated requests",
        (
            ErrorCode(
                "idempotency_key_reused",
                "invalid_request",
                "The key has come with another request.",
                "Use a new key for each request.",
            ),
            ErrorCode(
                "request_in_progress",
                "conflict",
                "The same request is being worked on: ask again.",
                "Send the same request again after `Retry-After`.",
            ),
        ),
    ),
    Group(
        "Things that are not there, or not in that state",
        (
            ErrorCode(
                "dataset_not_found",
                "not_found",
                "The project has no dataset of this id.",
                "Look the id up in the list of datasets.",
            ),
            ErrorCode(
                "network_not_found",
                "not_found",
                "The project has no network of this id.",
                "Look the id up in the list of networks.",
            ),
            ErrorCode(
                "job_not_found",
                "not_found",
                "The project has no job of this id.",
                "Look the id up in the list of jobs.",
            ),
            ErrorCode(
                "model_not_found",
                "not_found",
                "The project has no model of this id.",
                "Look the id up in the list of models.",
            ),
            ErrorCode(
                "prediction_not_found",
                "not_found",
                "The project has no queued prediction of this id.",
                "Look the id up in the list of predictions.",
            ),
            ErrorCode(
                "dataset_in_use",
                "conflict",
                "A queued or running job or prediction needs the dataset that is to be deleted.",
                "Wait until its jobs have ended, or cancel them.",
            ),
            ErrorCode(
                "model_in_use",
                "conflict",
                "A queued or running job or prediction needs the model that is to be deleted.",
                "Wait until that has ended, or cancel it.",
            ),
            ErrorCode(
                "job_already_ended",
                "conflict",
                "A job that has succeeded or failed cannot be cancelled.",
                "Nothing: it is over.",
            ),
            ErrorCode(
                "job_not_ended",
                "conflict",
                "A job that is queued or running goes on by itself and can be neither resumed nor deleted.",
                "Wait for it, or cancel it first.",
            ),
            ErrorCode(
                "job_diverged",
                "conflict",
                "A job whose J was no longer finite would come to the same point again.",
                "Start a new job with what the error of this one suggests.",
            ),
            ErrorCode(
                "nothing_left_to_train",
                "conflict",
                "The job to be resumed has done all these iterations, or has stopped by itself.",
                "Ask for more iterations in all, or start a new job from the model.",
            ),
            ErrorCode(
                "dataset_deleted",
                "conflict",
                "A gradient check, a dependence or a job to be resumed needs the dataset that was trained on.",
                "Upload the dataset again and start a new job.",
            ),
            ErrorCode(
                "model_deleted",
                "conflict",
                "A job to be resumed needs the model that it started from.",
                "Start a new job.",
            ),
            ErrorCode(
                "prediction_not_ready",
                "conflict",
                "The rows of a queued prediction are there once it has succeeded.",
                "Wait until it has; one that has failed or was cancelled has none.",
            ),
            ErrorCode(
                "prediction_not_ended",
                "conflict",
                "A queued prediction that has not ended cannot be deleted.",
                "Cancel it first.",
            ),
            ErrorCode(
                "prediction_already_ended",
                "conflict",
                "A queued prediction that has succeeded or failed cannot be cancelled.",
                "Nothing: it is over.",
            ),
            ErrorCode(
                "importance_not_measured",
                "conflict",
                "The model is from before the importance of columns was measured.",
                "Train it again.",
            ),
        ),
    ),
    Group(
        "Uploads",
        (
            ErrorCode(
                "too_many_uploads",
                "too_many",
                "`BACKPROP_MAX_UPLOADS` uploads of this project are being taken in.",
                "Wait until one of them has ended.",
            ),
            ErrorCode(
                "multipart_required",
                "invalid_request",
                "The body is not multipart/form-data.",
                "Send the file as a form, as `curl --form file=@table.csv` does.",
            ),
            ErrorCode(
                "malformed_multipart",
                "invalid_request",
                "The form ends too early or breaks the format.",
                "Send the whole form.",
            ),
            ErrorCode(
                "file_required",
                "invalid_request",
                "The form has no part `file`.",
                "Name the part of the file `file`.",
            ),
            ErrorCode("duplicate_field", "invalid_request", "A part of the form comes twice.", "Send each part once."),
            ErrorCode("field_too_long", "invalid_request", "A field other than the file is too long.", "Shorten it."),
            ErrorCode(
                "upload_interrupted",
                "invalid_request",
                "The connection closed before the end of the body.",
                "Send the file again.",
            ),
            ErrorCode(
                "reading_too_slow",
                "too_large",
                "Reading the file takes longer than `BACKPROP_MAX_READING_SECONDS`.",
                "Split the table, or raise the setting.",
            ),
            ErrorCode(
                "file_needs_too_much_memory",
                "too_large",
                "Reading the file takes more memory than `BACKPROP_MAX_READING_BYTES`.",
                "Split the table, or raise the setting.",
            ),
            ErrorCode(
                "too_many_categories",
                "too_large",
                "The columns have together more different integers and strings than can be listed.",
                "Leave out columns that are keys or texts.",
            ),
            ErrorCode(
                "reading_interrupted",
                "unavailable",
                "The processes that read files are being ended from outside.",
                "Try again.",
            ),
            ErrorCode(
                "upload_too_large",
                "too_large",
                "The file is larger than `BACKPROP_MAX_UPLOAD_BYTES`.",
                "Split the file, or raise the setting.",
            ),
            ErrorCode("empty_file", "invalid_request", "The file has no content.", "Send a file that has rows."),
            ErrorCode("no_rows", "invalid_request", "The table has no rows.", "Send a file that has rows."),
            ErrorCode("no_columns", "invalid_request", "The table has no columns.", "Send a file that has columns."),
            ErrorCode(
                "not_utf8",
                "invalid_request",
                "The text is in another encoding.",
                "Save the file as UTF-8, or say its `encoding`.",
            ),
            ErrorCode(
                "not_text",
                "invalid_request",
                "The file has binary data where CSV was expected.",
                "Name the format, or send CSV.",
            ),
            ErrorCode(
                "invalid_csv",
                "invalid_request",
                "The file is no CSV, or so damaged that it ends the process that reads it.",
                "Open the file where it was made, and write it again.",
            ),
            ErrorCode(
                "invalid_json",
                "invalid_request",
                "The file is no JSON, or so damaged that it ends the process that reads it.",
                "Open the file where it was made, and write it again.",
            ),
            ErrorCode(
                "invalid_parquet",
                "invalid_request",
                "The file is no Parquet file, or so damaged that it ends the process that reads it.",
                "Open the file where it was made, and write it again.",
            ),
            ErrorCode(
                "invalid_npz",
                "invalid_request",
                "The file is no NPZ file, or so damaged that it ends the process that reads it.",
                "Open the file where it was made, and write it again.",
            ),
            ErrorCode(
                "invalid_arrow",
                "invalid_request",
                "The file is no stream of Arrow's, or so damaged that it ends the process that reads it.",
                "Write the stream again, or send Parquet.",
            ),
            ErrorCode(
                "invalid_gzip",
                "invalid_request",
                "A file packed with gzip that is damaged.",
                "Pack the file again, or send it as it is.",
            ),
            ErrorCode(
                "unsupported_format",
                "invalid_request",
                "A file of a format that is known and not read, such as an Excel workbook.",
                "Save the table as the message says.",
            ),
            ErrorCode(
                "not_rows",
                "invalid_request",
                "JSON that is neither rows of objects nor rows of arrays.",
                "Send an array of rows, or one row a line.",
            ),
            ErrorCode(
                "ragged_row",
                "invalid_request",
                "A row with more or fewer values than the first.",
                "Give every row as many values as the first.",
            ),
            ErrorCode(
                "row_too_long",
                "invalid_request",
                "A row of a CSV file is longer than can be read at once.",
                "End every row with a line end.",
            ),
            ErrorCode(
                "nested_value",
                "invalid_request",
                "An object or array where a value should be.",
                "Put each value into a column of its own.",
            ),
            ErrorCode(
                "duplicate_key",
                "invalid_request",
                "A key comes twice in an object of a JSON file.",
                "Give each value of a row a key of its own.",
            ),
            ErrorCode(
                "mixed_types",
                "invalid_request",
                "A JSON column with values of different types.",
                "Use one type throughout the column.",
            ),
            ErrorCode(
                "unsupported_type",
                "invalid_request",
                "A Parquet column of bytes, durations or nested values.",
                "Leave the column out, or turn it into numbers or strings.",
            ),
            ErrorCode(
                "unsupported_array",
                "invalid_request",
                "An NPZ array of a type or shape that is no column.",
                "Save arrays of numbers, booleans or strings with one or two dimensions.",
            ),
            ErrorCode(
                "integer_too_large",
                "invalid_request",
                "An integer is beyond ±2⁶³.",
                "Write such numbers as decimals or as strings.",
            ),
            ErrorCode(
                "infinite_number",
                "invalid_request",
                "A number is infinite.",
                "Leave the value empty if it is unknown.",
            ),
            ErrorCode(
                "datetime_out_of_range",
                "invalid_request",
                "A date is not within the years 1 to 9999.",
                "Leave the value empty if it is unknown.",
            ),
            ErrorCode(
                "cell_not_of_type",
                "invalid_request",
                "A value that does not fit the type that `types` gives its column.",
                "Mend the value, name it in `missing_values`, or say another type.",
            ),
            ErrorCode(
                "text_too_long",
                "invalid_request",
                "A string of more than 32 KiB.",
                "Leave the column out, or shorten its texts.",
            ),
            ErrorCode(
                "duplicate_column",
                "invalid_request",
                "Two columns of one name, or, in a job, one column named twice.",
                "Give each column a name of its own, and name each once.",
            ),
            ErrorCode(
                "too_many_columns",
                "too_large",
                "More than `BACKPROP_MAX_COLUMNS`.",
                "Leave columns out, or raise the setting.",
            ),
            ErrorCode(
                "too_many_rows",
                "too_large",
                "More than `BACKPROP_MAX_ROWS`, or `BACKPROP_MAX_PREDICTION_ROWS` in a prediction.",
                "Send fewer rows, or raise the setting.",
            ),
            ErrorCode(
                "too_many_cells",
                "too_large",
                "More rows times columns than a file of the allowed size could hold.",
                "Split the table.",
            ),
        ),
    ),
    Group(
        "Jobs that are refused",
        (
            ErrorCode(
                "unknown_column",
                "invalid_request",
                "The dataset has no such column.",
                "Look the columns up in the dataset.",
            ),
            ErrorCode(
                "column_is_input_and_target",
                "invalid_request",
                "A column is named as an input and as a target.",
                "Name each column once.",
            ),
            ErrorCode(
                "no_inputs",
                "invalid_request",
                "Every column is a target, or is left out by default.",
                "Name the columns to use in `inputs`, or fewer targets.",
            ),
            ErrorCode(
                "targets_required",
                "invalid_request",
                "No targets, and the task is not reconstruction.",
                "Name the target columns.",
            ),
            ErrorCode(
                "targets_not_allowed",
                "invalid_request",
                "Targets for a reconstruction, whose targets are its inputs.",
                "Leave `targets` out.",
            ),
            ErrorCode(
                "one_target_only",
                "invalid_request",
                "Classification takes one target column.",
                "Name one target, or ask for a regression.",
            ),
            ErrorCode(
                "task_required",
                "invalid_request",
                "An integer target with few values: classes or a quantity?.",
                "Say `task`: classification or regression.",
            ),
            ErrorCode(
                "text_column",
                "invalid_request",
                "A column of more than 1,000 different strings is named as an input or a target.",
                "Leave the column out of `inputs`.",
            ),
            ErrorCode(
                "target_is_datetime",
                "invalid_request",
                "Dates and times can be inputs, and no targets.",
                "Give the target as a number, such as the hours since an event.",
            ),
            ErrorCode(
                "target_not_classes",
                "invalid_request",
                "Numbers with decimals are no classes.",
                "Ask for a regression.",
            ),
            ErrorCode(
                "target_not_numeric",
                "invalid_request",
                "Strings or booleans are no quantity.",
                "Ask for a classification.",
            ),
            ErrorCode(
                "too_many_classes",
                "invalid_request",
                "The target has more than 1,000 classes.",
                "Put classes together.",
            ),
            ErrorCode(
                "one_class_only",
                "invalid_request",
                "The target has one class: there is nothing to tell apart.",
                "Choose a target with at least two classes.",
            ),
            ErrorCode(
                "constant_target",
                "invalid_request",
                "The target has one value throughout: there is nothing to learn.",
                "Choose another target.",
            ),
            ErrorCode(
                "missing_values",
                "invalid_request",
                "A column of the job has missing values, and `missing` is refuse; or a target has no value at all.",
                "Ask for `missing` impute or drop_rows, or leave the column out.",
            ),
            ErrorCode("values_too_large", "invalid_request", "Numbers beyond ±10¹⁵⁰.", "Choose other units."),
            ErrorCode(
                "inputs_leave_output_range",
                "invalid_request",
                "A reconstruction whose output cannot reach its inputs with this scaling.",
                "Choose another scaling or another output activation.",
            ),
            ErrorCode(
                "too_few_rows",
                "invalid_request",
                "The table has no rows, or too few to hold some out and keep some.",
                "Upload more rows, or hold fewer or others out.",
            ),
            ErrorCode(
                "network_required",
                "invalid_request",
                "No network, and nothing that chooses one: the preset is tutorial, or the task reconstruction.",
                "Give the layers of a network, or the id of a stored one.",
            ),
            ErrorCode(
                "output_units",
                "invalid_request",
                "The output layer's units are not those the targets need.",
                "Leave the units of the output layer out.",
            ),
            ErrorCode(
                "softmax_needs_classes",
                "invalid_request",
                "A softmax output for something else than classification.",
                "Choose another output activation.",
            ),
            ErrorCode(
                "cost_needs_other_output",
                "invalid_request",
                "Cross-entropy of an output that is neither sigmoid nor softmax, or the reverse.",
                "Choose another cost or another output activation.",
            ),
            ErrorCode(
                "sparsity_needs_sigmoid",
                "invalid_request",
                "A sparsity term without hidden layers, or with others than sigmoid.",
                "Use sigmoid hidden layers, or leave the sparsity term out.",
            ),
            ErrorCode(
                "patience_needs_holdout",
                "invalid_request",
                "Early stopping with no rows held out.",
                "Say a `holdout` or `holdout_by`, or leave `patience` out.",
            ),
            ErrorCode(
                "stratified_needs_classes",
                "invalid_request",
                "Rows are to be held out by class, and the task is no classification.",
                "Use `holdout_by` random.",
            ),
            ErrorCode(
                "column_is_target",
                "invalid_request",
                "A column that is to say which rows are held out, or what they weigh, is a target.",
                "Name another column.",
            ),
            ErrorCode(
                "value_not_in_column",
                "invalid_request",
                "`holdout_by` names a value that no row has, or one of another type than the column's.",
                "Look the column's values up in the dataset.",
            ),
            ErrorCode(
                "unusable_weights",
                "invalid_request",
                "Weights that are no numbers from 0 up, or missing in a row, or 0 in all rows to train on or held out.",
                "Mend the column, or name another one.",
            ),
            ErrorCode(
                "class_weight_needs_classes",
                "invalid_request",
                "A `class_weight` for something else than classification.",
                "Leave it out; rows can have `weights`.",
            ),
            ErrorCode(
                "unknown_class",
                "invalid_request",
                "`class_weight` names a class that the target does not have.",
                "Look the classes up in the dataset.",
            ),
            ErrorCode(
                "duplicate_class",
                "invalid_request",
                "`class_weight` gives a class two weights.",
                "Give each class one weight.",
            ),
            ErrorCode(
                "held_out_every_needs_holdout",
                "invalid_request",
                "How often held-out rows are measured, with no rows held out.",
                "Say a `holdout`, or leave `held_out_every` out.",
            ),
            ErrorCode(
                "comparison_needs_holdout",
                "invalid_request",
                "A model is to be compared by its held-out rows, and none are held out.",
                "Give a `holdout` or `holdout_by`, or compare by the split `training`.",
            ),
            ErrorCode(
                "metric_not_comparable",
                "invalid_request",
                "A model is to be compared by a metric that it will not have as one number.",
                "Choose one of the metrics that the message names.",
            ),
            ErrorCode(
                "iterations_and_epochs",
                "invalid_request",
                "Iterations and epochs that are not the same number of updates.",
                "Say `iterations` or `epochs`, and leave the other out.",
            ),
            ErrorCode(
                "epsilon_too_small",
                "invalid_request",
                "An `epsilon` below the least normal number of the `dtype`, with which initial weights would be 0.",
                "Use a larger `epsilon`, such as 0.01, or leave it out.",
            ),
            ErrorCode(
                "differs_from_model",
                "invalid_request",
                "With `from_model_id`, a network, columns, task or scaling that are not the model's.",
                "Leave out what the job takes over from the model.",
            ),
            ErrorCode(
                "column_type_differs",
                "invalid_request",
                "With `from_model_id` or in a dataset held out, a column of another type than in training.",
                "Make the columns of the types that they have in training.",
            ),
            ErrorCode(
                "unknown_category",
                "invalid_request",
                "With `from_model_id` or in a dataset held out, a category or class that training does not know.",
                "Leave such rows out, or train a new model.",
            ),
            ErrorCode(
                "too_few_iterations",
                "invalid_request",
                "A job is resumed to fewer iterations than it has done.",
                "Ask for at least as many as it has done.",
            ),
            ErrorCode(
                "too_many_queued_jobs",
                "too_many",
                "`BACKPROP_MAX_QUEUED_JOBS` jobs and predictions of this project wait.",
                "Wait until some have been taken up.",
            ),
            ErrorCode(
                "too_many_event_streams",
                "too_many",
                "This key has `BACKPROP_MAX_EVENT_STREAMS` streams of events open.",
                "Close some, or follow several jobs with one: `GET /v1/events?job=…&job=…`.",
            ),
            ErrorCode(
                "too_many_iterations",
                "too_large",
                "More than `BACKPROP_MAX_ITERATIONS`.",
                "Ask for fewer, or raise the setting.",
            ),
            ErrorCode(
                "too_many_parameters",
                "too_large",
                "More than `BACKPROP_MAX_PARAMETERS`.",
                "Use smaller layers, or raise the setting.",
            ),
            ErrorCode(
                "training_too_large",
                "too_large",
                "More memory than `BACKPROP_MAX_TRAINING_BYTES`.",
                "Use smaller layers, fewer rows or dtype float32, or raise the setting.",
            ),
        ),
    ),
    Group(
        "Models",
        (
            ErrorCode(
                "invalid_rows",
                "invalid_request",
                "Rows with unknown, missing or unreadable values; each is named.",
                "Mend the places that `errors` names.",
            ),
            ErrorCode(
                "invalid_tensor",
                "invalid_request",
                "A tensor whose shape, datatype, data or name do not fit together or do not fit the model.",
                "Mend the tensors that `errors` names; `GET /v2/models/{model}` tells which the model takes.",
            ),
            ErrorCode(
                "unknown_output",
                "invalid_request",
                "The model has no output tensor of this name.",
                "Ask for outputs that `GET /v2/models/{model}` tells.",
            ),
            ErrorCode(
                "prediction_not_finite",
                "invalid_request",
                "Numbers so far from the training data that the network overflows.",
                "Compare the rows with the data that the model was trained on.",
            ),
            ErrorCode(
                "dataset_does_not_fit",
                "invalid_request",
                "The dataset lacks columns that the model needs, or has values in them that it does not take.",
                "Mend what the message names and upload the table again, or ask for `unknown_categories` as_missing.",
            ),
            ErrorCode(
                "media_type_not_taken",
                "unsupported_media_type",
                "Rows to predict come in another `Content-Type` than those that are read.",
                "Send JSON, CSV, Parquet or a stream of Arrow's, and say which.",
            ),
            ErrorCode(
                "not_acceptable",
                "not_acceptable",
                "`Accept` names nothing that this address can answer with.",
                "Ask for one of the types that the message names.",
            ),
            ErrorCode(
                "answer_too_large",
                "too_large",
                "More rows than one answer can hold.",
                "Send fewer rows at once.",
            ),
            ErrorCode(
                "no_such_unit",
                "invalid_request",
                "Features of units that the first layer does not have.",
                "Ask for units below the layer's size.",
            ),
            ErrorCode(
                "tile_width_required",
                "invalid_request",
                "A picture of inputs that make no square needs a width.",
                "Say `width`.",
            ),
            ErrorCode(
                "tile_width",
                "invalid_request",
                "A width that does not divide the number of inputs.",
                "Choose a width that divides the number of inputs.",
            ),
            ErrorCode(
                "picture_too_large",
                "too_large",
                "The picture would be too large.",
                "Ask for fewer units or a smaller scale.",
            ),
            ErrorCode(
                "onnx_not_installed",
                "not_implemented",
                "This server lacks what makes ONNX files: the extra `onnx`.",
                "Install `onnx` and `onnxruntime` where the API runs.",
            ),
            ErrorCode(
                "onnx_differs",
                "conflict",
                "ONNX Runtime does not answer with the ONNX file as the model does; the message says by how much.",
                "Report it, with the id of the model; its weights can be had as safetensors.",
            ),
            ErrorCode(
                "export_too_large",
                "too_large",
                "The model is too large for the format.",
                "Ask for another format, or predict with the service.",
            ),
            ErrorCode(
                "gradient_not_finite",
                "invalid_request",
                "J is not a finite number at these weights.",
                "Train with a smaller learning rate.",
            ),
            ErrorCode(
                "not_an_input",
                "invalid_request",
                "A dependence on a column that is no input of the model.",
                "Name one of the columns in the model's `preprocessing`.",
            ),
            ErrorCode(
                "dependence_of_reconstruction",
                "invalid_request",
                "A dependence of a model that reproduces its inputs, and answers with as many numbers.",
                "Ask a model of classes or numbers.",
            ),
        ),
    ),
    Group(
        "Registry",
        (
            ErrorCode(
                "registered_model_not_found",
                "not_found",
                "No such registered model in this project.",
                "Look the name up in `GET /v1/registry`.",
            ),
            ErrorCode(
                "version_not_found",
                "not_found",
                "The registered model has no such version; it may have been deleted.",
                "Look the number up in `GET /v1/registry/{name}/versions`.",
            ),
            ErrorCode(
                "alias_not_found",
                "not_found",
                "The registered model has no such alias.",
                "Look the alias up in `GET /v1/registry/{name}`.",
            ),
            ErrorCode(
                "name_taken",
                "conflict",
                "There is a registered model of that name in this project.",
                "Choose another name, or create a version of that one.",
            ),
            ErrorCode(
                "registered_model_has_aliases",
                "conflict",
                "The registered model cannot be deleted: aliases of it point to versions.",
                "Delete the aliases that the message names first.",
            ),
            ErrorCode(
                "version_has_aliases",
                "conflict",
                "The version cannot be deleted: aliases point to it.",
                "Move or delete the aliases that the message names first.",
            ),
            ErrorCode(
                "model_is_registered",
                "conflict",
                "The model cannot be deleted: it is a version of a registered model.",
                "Delete the version that the message names first.",
            ),
            ErrorCode(
                "alias_moved",
                "precondition_failed",
                "The alias is not, or no longer, as `If-Match` says.",
                "Get the alias again, and decide anew whether to move it.",
            ),
            ErrorCode(
                "alias_exists",
                "precondition_failed",
                "There is such an alias, and `If-None-Match: *` asks for a new one.",
                "Get the alias, and move it with `If-Match`.",
            ),
        ),
    ),
    Group(
        "Jobs that failed",
        (
            ErrorCode(
                "diverged",
                "failed_job",
                "J is no longer a finite number; the message says at which iteration and what to try.",
                "Try what the message suggests: a smaller learning rate, scaled inputs.",
            ),
            ErrorCode(
                "gradient_check_failed",
                "failed_job",
                "The gradient and the numerical one differ; the message says where.",
                "Scale the inputs, or train without the check.",
            ),
            ErrorCode(
                "class_missing_in_training",
                "failed_job",
                "All rows of a class are held out.",
                "Use a smaller holdout or another seed.",
            ),
            ErrorCode(
                "constant_target_in_training",
                "failed_job",
                "The target varies in the held-out rows only.",
                "Use a smaller holdout or another seed.",
            ),
            ErrorCode(
                "cannot_be_scaled",
                "failed_job",
                "A column is spread too far or too little for double precision.",
                "Choose other units for the column.",
            ),
            ErrorCode(
                "out_of_memory",
                "failed_job",
                "The worker has not enough memory.",
                "Use smaller layers, fewer rows or dtype float32.",
            ),
            ErrorCode(
                "scratch_full",
                "failed_job",
                "The worker's disk has no room for the coded rows.",
                "Make room on the worker, or use fewer columns or dtype float32.",
            ),
            ErrorCode(
                "worker_lost",
                "failed_job",
                "Its worker died `BACKPROP_MAX_CRASHES` times in a row without a new checkpoint.",
                "Use a smaller network; or resume the job if it was not its fault.",
            ),
            ErrorCode(
                "internal_error",
                "failed_job",
                "A fault of the service; the worker's log has the reason.",
                "Report it, with the id of the job.",
            ),
        ),
    ),
    Group(
        "Webhooks",
        (
            ErrorCode(
                "webhook_not_found",
                "not_found",
                "The project has no webhook of that id.",
                "Look the id up in `GET /v1/webhooks`.",
            ),
            ErrorCode(
                "delivery_not_found",
                "not_found",
                "The webhook has no delivery of that id, or no more: they are kept for 30 days after their end.",
                "Look the id up in `GET /v1/webhooks/{webhook_id}/deliveries`.",
            ),
            ErrorCode(
                "too_many_webhooks",
                "too_many",
                "The project has as many webhooks as it may have.",
                "Delete one, or let one receiver pass events on.",
            ),
        ),
    ),
)

ANSWERS: dict[str, ErrorCode] = {
    error.code: error for group in GROUPS for error in group.errors if error.kind != "failed_job"
}
"""The errors of answers, by their code."""

FAILURES: dict[str, ErrorCode] = {
    error.code: error for group in GROUPS for error in group.errors if error.kind == "failed_job"
}
"""The errors of failed jobs, by their code."""
