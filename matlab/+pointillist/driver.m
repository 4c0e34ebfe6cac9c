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
    if exist('OCTAVE_VERSION', 'builtin')
        more('off');
        page_output_immediately(true);  % what is printed reaches the log at once
        sigterm_dumps_octave_core(false);
    end
    [call, name] = fileparts(file);
    session = [];
    if strcmp(name, 'pointillist_session')
        session = begin(file);
        [call, session] = await(session);
    end
    while ~isempty(call)
        code = carry_out(call);  % here alone: the stack in a warning is the same both ways
        if isempty(session)
            if code ~= 0
                exit(code);
            end
            return
        end
        session.home = pointillist.tidy(session.names, session.home);
        if isempty(session.home)
            answer(session, sprintf('%d ends', code));
            exit(0);
        end
        answer(session, sprintf('%d stays', code));
        [call, session] = await(session);
    end
end

function session = begin(file)
    session = read_session(file);
    session.folder = fileparts(file);
    session.read = 0;
    if ~isempty(session.search_path)
        addpath(session.search_path{:});  % as each call does: it need not change in between
    end
    session.home = pointillist.tidy(session.names);
    answer(session, 'ready');
end

function session = read_session(file)
% The script assigns pid, names and search_path.
    session = struct();
    eval(content(file, 0));
end

function [call, session] = await(session)
% Wait for a request; empty if there is to be none. Functions of the program's
% library are avoided here, as GNU Octave reads them anew after each call.
    call = '';
    file = [session.folder '/pointillist_requests'];
    seconds = 0.001;
    waited = 0;
    text = content(file, session.read);
    while isempty(text) || text(end) ~= char(10)
        pause(seconds);
        waited = waited + seconds;
        seconds = min(seconds * 1.1, 0.02);
        if waited > 1
            waited = 0;
            if ~is_wanted(session)
                return
            end
        end
        text = content(file, session.read);
    end
    session.read = session.read + numel(text);
    call = eval(text);
    if ~isempty(call)
        answer(session, 'begun');
        setenv('POINTILLIST_JOB', [call '/pointillist_job.m']);
    end
end

function wanted = is_wanted(session)
% Whether the runner and its spool folder are there.
    runner = sprintf('/proc/%d', session.pid);
    lives = exist('/proc/self', 'dir') == 0 || exist(runner, 'dir') ~= 0;
    wanted = lives && exist(session.folder, 'dir') ~= 0;
end

function answer(session, text)
    place = fopen([session.folder '/pointillist_answers'], 'a');
    fprintf(place, '%s\n', text);
    fclose(place);
end

function text = content(file, offset)
    text = '';
    place = fopen(file, 'r');
    if place >= 0
        fseek(place, offset, 'bof');
        text = fread(place, [1 Inf], '*char');
        fclose(place);
    end
end

function code = carry_out(folder)
    code = 0;
    in_octave = exist('OCTAVE_VERSION', 'builtin') ~= 0;
    try
        value = evaluate([folder '/pointillist_call.m']);
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

function pointillist_result = evaluate(pointillist_file)
% The script runs in here, where only names with our prefix are taken.
% It puts the return value, if it wants one, into the cell.
    pointillist_result = {};
    eval(content(pointillist_file, 0));
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
