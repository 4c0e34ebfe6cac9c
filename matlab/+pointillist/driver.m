function driver()
%DRIVER Carry out the call that pointillist wrote beside the job's file.
%   pointillist.driver() runs pointillist_call.m in the folder of the file that
%   the environment variable POINTILLIST_JOB names. A return value goes to
%   pointillist_result.mat there. After an error its message and its stack are
%   on standard error, and the program ends with code 1.
%
%   If that file is a pointillist_session.m, the program is a session: it waits in
%   the file's folder for requests, carries out the call that each names, leaves
%   all as it was, answers, and ends when it is asked to or its runner is gone.
    file = getenv('POINTILLIST_JOB');
    [folder, name] = fileparts(file);
    if exist('OCTAVE_VERSION', 'builtin')
        more('off');
        page_output_immediately(true);  % what is printed reaches the log at once
    end
    if ~strcmp(name, 'pointillist_session')
        code = carry_out(folder);
        if code ~= 0
            exit(code);
        end
        return
    end
    [pid, names, folders] = read_session(file);
    if ~isempty(folders)
        addpath(folders{:});  % as every call does: the path need not change between calls
    end
    home = pointillist.tidy(names);
    write(fullfile(folder, 'pointillist_ready'), sprintf('ready\n'));
    number = 1;
    while true
        call = await(folder, number, pid);
        if isempty(call)
            exit(0);
        end
        answer = fullfile(folder, sprintf('pointillist_answer_%d', number));
        write(answer, '');  % the call has begun
        setenv('POINTILLIST_JOB', fullfile(call, 'pointillist_job.m'));
        code = carry_out(call);
        home = pointillist.tidy(names, home);
        if isempty(home)
            write(answer, sprintf('%d ends\n', code));
            exit(0);
        end
        write(answer, sprintf('%d stays\n', code));
        number = number + 1;
    end
end

function code = carry_out(folder)
    code = 0;
    in_octave = exist('OCTAVE_VERSION', 'builtin') ~= 0;
    try
        value = evaluate(fullfile(folder, 'pointillist_call.m'));
        if ~isempty(value)
            store(value{1}, folder);
        end
    catch err
        if in_octave
            fflush(1);
        end
        report(err);
        code = 1;
    end
    if in_octave
        fflush(1);
    end
end

function [pid, names, folders] = read_session(file)
% The script assigns all three.
    pid = 0;
    names = {};
    folders = {};
    eval(fileread(file));
end

function call = await(folder, number, pid)
% Wait for a request; empty if there will be none. Opening a file is the quickest
% way to ask whether it is there.
    file = fullfile(folder, sprintf('pointillist_request_%d.m', number));
    process = sprintf('/proc/%d', pid);
    seconds = 0.001;
    waited = 0;
    request = fopen(file, 'r');
    while request < 0
        pause(seconds);
        waited = waited + seconds;
        seconds = min(seconds * 1.1, 0.02);
        if waited > 1
            waited = 0;
            here = exist(folder, 'dir') ~= 0;
            if ~here || (exist('/proc/self', 'dir') ~= 0 && exist(process, 'dir') == 0)
                call = '';
                return
            end
        end
        request = fopen(file, 'r');
    end
    call = eval(fread(request, [1 Inf], '*char'));
    fclose(request);
end

function write(file, text)
    place = fopen(file, 'w');
    fprintf(place, '%s', text);
    fclose(place);
end

function pointillist_result = evaluate(pointillist_file)
% The script runs in here, where only names with our prefix are taken.
% It puts the return value, if it wants one, into the cell.
    pointillist_result = {};
    eval(fileread(pointillist_file));
end

function store(value, folder)
% Save under another name first, so that the file is never there in part.
    value = portable(value); %#ok<NASGU>
    partial = fullfile(folder, 'pointillist_partial.mat');
    try
        save(partial, 'value', '-v6');
    catch err
        error('pointillist:result', ['the return value cannot be saved (%s); ' ...
            'return numbers, logicals, text, cells and structs'], err.message);
    end
    whole = fullfile(folder, 'pointillist_result.mat');
    if exist('OCTAVE_VERSION', 'builtin')
        [failed, message] = rename(partial, whole);  % movefile starts a program there
    else
        [moved, message] = movefile(partial, whole);
        failed = ~moved;
    end
    if failed
        error('pointillist:result', 'the return value cannot be stored: %s', message);
    end
end

function value = portable(value)
% Write what Python would misread as structs, at any depth: text that is not
% plain ASCII as UTF-8 bytes, complex numbers as their two parts.
    if isstring(value)
        if isscalar(value)
            value = char(value);
        else
            value = cellstr(value);
        end
    end
    if ischar(value)
        if size(value, 1) > 1
            rows = cell(size(value, 1), 1);
            for k = 1:numel(rows)
                rows{k} = portable(value(k, :));
            end
            value = rows;
        elseif any(value < 1 | value > 127)
            value = struct('pointillist_text', bytes_of(value));
        end
    elseif iscell(value)
        for k = 1:numel(value)
            value{k} = portable(value{k});
        end
    elseif isstruct(value)
        names = fieldnames(value);
        for k = 1:numel(value)
            for n = 1:numel(names)
                value(k).(names{n}) = portable(value(k).(names{n}));
            end
        end
    elseif isnumeric(value) && ~isreal(value)
        value = struct('pointillist_real', real(value), 'pointillist_imag', imag(value));
    elseif ~(isnumeric(value) || islogical(value))
        error('pointillist:result', ['the return value holds a %s; ' ...
            'return numbers, logicals, text, cells and structs'], class(value));
    end
end

function bytes = bytes_of(text)
    if exist('OCTAVE_VERSION', 'builtin')
        bytes = uint8(text);  % text is bytes there
    else
        bytes = unicode2native(text, 'UTF-8');
    end
end

function report(err)
% Print an error and where it came from, without our own functions.
    fprintf(2, 'error: %s\n', err.message);
    ours = fileparts(mfilename('fullpath'));
    for k = 1:numel(err.stack)
        frame = err.stack(k);
        if ~strcmp(fileparts(frame.file), ours)
            fprintf(2, '  in %s, line %d (%s)\n', frame.name, frame.line, frame.file);
        end
    end
end
